import type { StreamInfo } from '@nats-io/jetstream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiError, FakeJetStream, streamConfig } from '../fakes/fake-jetstream.ts';
import { VirtualTime } from '../fakes/virtual-time.ts';
import { createLogger } from '../logging/logger.ts';
import { ensureStreamsIn } from './ensure-streams.ts';
import type { StreamDefinition } from './stream-plan.ts';

const definition: StreamDefinition = {
  name: 'S',
  subjects: ['a.>'],
  storage: 'file',
  maxMsgsPerSubject: 10,
  maxAgeMs: 60_000,
  maxBytes: 1_000,
  discard: 'old',
  allowDirect: true,
  republish: { src: 'a.>', dest: 'live.a.>' },
  replicas: 1,
};

/** A server and any number of processes that ensure a definition on it. */
function world(random: () => number = () => 0.5) {
  const time = new VirtualTime();
  const server = new FakeJetStream(time, random);
  const lines: string[] = [];
  const logger = createLogger({ service: 't', level: 'info', sink: { write: (line) => lines.push(line) } });
  const parts = { api: server.api, sleep: time.sleep, clock: time, random };
  const ensure = (...streams: StreamDefinition[]): Promise<readonly StreamInfo[]> =>
    ensureStreamsIn(parts, { streams, logger, deadlineMs: 30_000, again: false });
  const ensureAgain = (...streams: StreamDefinition[]): Promise<readonly StreamInfo[]> =>
    ensureStreamsIn(parts, { streams, logger, deadlineMs: 30_000, again: true });
  const caught = (...streams: StreamDefinition[]): Promise<unknown> =>
    time.until(
      ensure(...streams).then(
        () => 'no error',
        (error: unknown) => error,
      ),
    );
  return { time, server, lines, ensure, ensureAgain, caught };
}

describe('ensureStreams', () => {
  it('creates missing streams and returns them in order', async () => {
    const { time, server, ensure } = world();
    const other = { ...definition, name: 'T', subjects: ['b.>'] };
    const infos = await time.until(ensure(definition, other));
    expect(infos.map(({ config }) => config.name)).toEqual(['S', 'T']);
    await time.until(ensure(definition, other));
    expect([server.creations, server.updates]).toEqual([2, 0]);
  });

  it('gives the server time to delete before it creates a stream again', async () => {
    const { time, server, ensure, ensureAgain } = world();
    await time.until(ensureAgain(definition));
    expect(server.creations).toBe(1);
    expect(time.monotonicMs()).toBeGreaterThanOrEqual(500);
    server.streams.clear();
    // Another process creates it meanwhile.
    const waiting = ensureAgain(definition);
    await time.until(ensure(definition));
    const [info] = await time.until(waiting);
    expect([info?.config.name, server.creations]).toEqual(['S', 2]);
  });

  it('keeps larger limits and logs them once', async () => {
    const { time, server, ensure, lines } = world();
    await time.until(ensure({ ...definition, maxAgeMs: 120_000 }));
    const [info] = await time.until(ensure(definition));
    expect(info?.config.max_age).toBe(120e9);
    expect(server.updates).toBe(0);
    expect(lines.filter((line) => line.includes('keeps more than configured'))).toHaveLength(1);
    expect(lines.join('')).toContain('nats stream edit S --max-age=60s');
  });

  it('makes one stream with the largest limits, in whatever order processes start (case B8)', async () => {
    const starts = fc.array(
      fc.record({ delayMs: fc.nat(300), maxAgeMs: fc.constantFrom(1_000, 2_000, 3_000) }),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    const run = async (
      processes: readonly { delayMs: number; maxAgeMs: number }[],
      luck: readonly number[],
    ) => {
      let turn = 0;
      const { time, server, ensure } = world(() => luck[turn++ % luck.length] ?? 0);
      const all = processes.map(async ({ delayMs, maxAgeMs }) => {
        await time.sleep(delayMs);
        const [info] = await ensure({ ...definition, maxAgeMs });
        expect(info?.config.max_age).toBeGreaterThanOrEqual(maxAgeMs * 1e6);
      });
      await time.until(Promise.all(all));
      const largest = Math.max(...processes.map(({ maxAgeMs }) => maxAgeMs));
      expect(server.streams.get('S')?.max_age).toBe(largest * 1e6);
      expect(server.creations).toBe(1);
      expect(time.monotonicMs()).toBeLessThan(10_000);
      return server.updates;
    };
    const luck = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 17, maxLength: 17 });
    await fc.assert(
      fc.asyncProperty(starts, luck, async (processes, one) => void (await run(processes, one))),
      {
        numRuns: 60,
      },
    );
    const half = Array.from({ length: 8 }, (_, i) => ({ delayMs: 0, maxAgeMs: i % 2 === 0 ? 1_000 : 2_000 }));
    const spread = [0.1, 0.83, 0.37, 0.62, 0.94, 0.21, 0.48, 0.05, 0.71, 0.29, 0.56, 0.88, 0.13];
    expect(await run(half, spread)).toBeLessThanOrEqual(2);
  });

  it('names the foreign stream that overlaps, and changes nothing', async () => {
    const { server, caught } = world();
    server.streams.set('ORDERS', streamConfig({ name: 'ORDERS', subjects: ['a.>'] }));
    expect(await caught(definition)).toMatchObject({
      code: 'STREAM_CONFLICT',
      stream: 'ORDERS',
      message: expect.stringMatching(/overlap with those of ORDERS: delete it, .*subject prefix/),
    });
    expect([server.creations, server.updates]).toEqual([0, 0]);
  });

  it('leaves a foreign stream of the same name alone', async () => {
    const { server, caught } = world();
    server.streams.set('S', streamConfig({ name: 'S', subjects: ['orders.>'] }));
    expect(await caught(definition)).toMatchObject({ code: 'STREAM_CONFLICT', stream: 'S' });
    expect(server.updates).toBe(0);
  });

  it('waits through temporary failures', async () => {
    const { time, server, ensure } = world();
    server.failures.push(apiError(10_008, 503), new Error('timeout'), apiError(10_009, 503));
    expect(await time.until(ensure(definition))).toHaveLength(1);
  });

  it('gives up at once if waiting does not help', async () => {
    const { time, server, caught } = world();
    server.failures.push(apiError(10_047, 500, 'insufficient storage resources available'));
    expect(await caught(definition)).toMatchObject({
      code: 'STREAM_SETUP_FAILED',
      message: expect.stringMatching(
        /^the stream S could not be set up: insufficient storage.*asks for 1000 bytes/,
      ),
    });
    server.failures.push(Object.assign(new Error('closed connection'), { name: 'ClosedConnectionError' }));
    expect(await caught(definition)).toMatchObject({ code: 'STREAM_SETUP_FAILED' });
    expect(time.monotonicMs()).toBeLessThan(100);
  });

  it('reports after two seconds that there is no JetStream', async () => {
    const { time, server, caught } = world();
    const disabled = Object.assign(new Error('jetstream is not enabled'), { name: 'JetStreamNotEnabled' });
    server.failures.push(...Array.from({ length: 100 }, () => disabled));
    expect(await caught(definition)).toMatchObject({ code: 'JETSTREAM_DISABLED', cause: disabled });
    expect(time.monotonicMs()).toBeLessThan(3_000);
  });

  it('gives up after its deadline', async () => {
    const { time, server, caught } = world();
    server.failures.push(...Array.from({ length: 1_000 }, () => new Error('timeout')));
    expect(await caught(definition)).toMatchObject({ code: 'STREAM_SETUP_FAILED' });
    expect(time.monotonicMs()).toBeLessThan(31_000);
  });
});
