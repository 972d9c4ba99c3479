// NATS is away for longer than client libraries wait by default: every service waits, says so, and reconnects.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { fastClock } from '../../harness/clocks.ts';
import { end } from '../../harness/end.ts';
import { expectSound, expectWholeFrames, residentMb } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, isReady, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

/** Longer than the 3 s after which a silent shard gets no clients, and at full scale longer than any library waits. */
const AWAY_MS = scale(4_000, 120_000);

let cluster: SmallCluster;
let nats: NatsConnection;

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  cluster = await SmallCluster.start(env);
  await cluster.shard('desktop', 'desktop-1');
  await cluster.shard('mobile', 'mobile-1');
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
}

async function stop(): Promise<void> {
  await nats.close();
  await cluster.stop();
}

const shards = (): readonly Service[] => cluster.running.filter(({ name }) => name === 'shard');

/** Publishes until the stream has it; with the id the stream drops duplicates. */
async function keep(subject: string, value: string, id: string): Promise<void> {
  await until(
    () =>
      jetstream(nats, { timeout: 1_000 })
        .publish(subject, value, { msgID: id })
        .then(
          () => true,
          () => false,
        ),
    `${id} is acknowledged`,
    30_000,
  );
}

const isStale = async (service: Service): Promise<boolean> =>
  (await metric(service, 'weir_shard_stale')) === 1;

const isAlive = async (service: Service): Promise<boolean> => (await fetch(`${service.admin}/livez`)).ok;

/** One outage: clients of both pools, one with the SDK, stay and catch up. Returns how long that took. */
async function outage(channel: string, awayMs: number): Promise<number> {
  await keep(`weir.state.${channel}.before`, '1', `${channel}-before`);
  const clients = [
    await BareClient.connect(cluster.routerUrl, `channels=${channel}`),
    await BareClient.connect(cluster.routerUrl, `channels=${channel}&class=mobile`),
  ];
  const weir = connect({ url: cluster.routerUrl, channels: [channel], WebSocket });
  const bySdk: unknown[] = [];
  weir.channel(channel).on('critical', ({ data }) => bySdk.push(data));
  await until(() => clients.every((client) => client.state.has('before')), 'both are served');
  await until(() => weir.channel(channel).state.has('before'), 'the SDK is served');
  for (const shard of shards()) await until(async () => !(await isStale(shard)), 'the shard is current');

  await cluster.nats.kill();
  const endMs = performance.now() + awayMs;
  for (const shard of shards()) await until(() => isStale(shard), 'the shard says that it is stale');
  while (performance.now() < endMs) {
    for (const shard of shards()) {
      const answer = await fetch(`${shard.admin}/readyz`);
      expect([answer.ok, await answer.text()]).toEqual([true, expect.stringContaining('"stale":true')]);
      expect(await isAlive(shard)).toBe(true);
      expect(await metric(shard, 'weir_nats_connected')).toBe(0);
    }
    expect(await isReady(cluster.router)).toBe(true);
    await elapsed(Math.min(2_000, Math.max(0, endMs - performance.now())));
  }
  const newcomer = await BareClient.connect(cluster.routerUrl, `channels=${channel}`);
  await until(() => newcomer.state.has('before'), 'a newcomer is served');
  expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);

  await cluster.nats.restart();
  const backMs = performance.now();
  await keep(`weir.state.${channel}.after`, '2', `${channel}-after`);
  await keep(`weir.critical.${channel}`, '3', `${channel}-critical`);
  const all = [...clients, newcomer];
  await until(
    () => all.every((client) => client.state.has('after') && client.ids.length === 1) && bySdk.length === 1,
    'all have caught up',
    10_000,
  );
  const tookMs = performance.now() - backMs;
  expect(tookMs).toBeLessThan(10_000);
  for (const shard of shards()) await until(async () => !(await isStale(shard)), 'the shard is current');
  for (const client of all) {
    expect(client.closed).toBeUndefined();
    expect(client.of('gap')).toEqual([]);
    expectWholeFrames(client);
    client.close();
  }
  expect([weir.status, weir.info?.attempts]).toEqual(['open', 1]);
  weir.close();
  expectSound(cluster.running);
  return tookMs;
}

describe('while NATS is away (case B6)', () => {
  beforeAll(() => start());
  afterAll(stop);

  it('shards keep their clients, stay ready and report stale; newcomers get the known state', async () => {
    const before = await Promise.all(cluster.running.map(residentMb));
    const tookMs = await outage('away', AWAY_MS);
    const after = await Promise.all(cluster.running.map(residentMb));
    const grown = after.map((mb, at) => mb - (before[at] ?? 0));
    seen('B6', {
      'away s': AWAY_MS / 1_000,
      'caught up after ms': tookMs,
      'memory grown by at most MB': Math.max(...grown),
    });
  }, 180_000);

  it('a router and a shard that start meanwhile wait unready, and become ready without help', async () => {
    await cluster.nats.kill();
    const early = [await cluster.startRouter(), await cluster.startShard('desktop', 'desktop-early')];
    await elapsed(scale(1_000, 60_000));
    for (const service of early) {
      expect([await isReady(service), await isAlive(service)]).toEqual([false, true]);
    }
    await cluster.nats.restart();
    const backMs = performance.now();
    for (const service of early) await until(() => isReady(service), 'it is ready', 10_000);
    const tookMs = performance.now() - backMs;
    const [router] = early;
    const client = await BareClient.connect(String(router?.url), 'channels=early');
    await until(() => client.has('early'), 'a client is served by way of the new router');
    client.close();
    expectSound(cluster.running);
    for (const { process } of early) await end(process, 'SIGKILL');
    await until(
      async () => (await (await fetch(`${cluster.router.admin}/readyz`)).text()).includes('"shards":2'),
      'the router has noticed its end',
    );
    seen('B6', { 'started before NATS, ready after ms': tookMs });
  });

  it('ten restarts in a row disconnect no client and lose nothing', async () => {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=ten');
    await until(() => client.of('state').length > 0, 'the client is served');
    const sent: number[] = [];
    for (let i = 0; i < 10; i++) {
      await keep('weir.critical.ten', String(i), `ten-${i}`);
      sent.push(i);
      await cluster.nats.kill();
      await cluster.nats.restart();
    }
    await until(() => client.ids.length === 10, 'all ten have come', 20_000);
    expect(client.of('critical').map(({ message }) => message['data'])).toEqual(sent);
    expect(client.closed).toBeUndefined();
    client.close();
    expectSound(cluster.running);
  });
});

describe('while NATS is away for twenty minutes of their own time (case B6)', () => {
  /** Speeding up the services slows this process by comparison: the small scale also runs on busy machines. */
  const PACE = scale(4, 10);
  const startMs = Date.now();
  beforeAll(() => start(fastClock(PACE, startMs)));
  afterAll(stop);

  it('the same holds', async () => {
    const awayMs = scale(3_000, (20 * 60_000) / PACE);
    const tookMs = await outage('long', awayMs);
    seen('B6', { 'away min of their own time': (awayMs * PACE) / 60_000, 'caught up after ms': tookMs });
  }, 180_000);
});
