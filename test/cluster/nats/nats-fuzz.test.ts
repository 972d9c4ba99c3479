// Whatever arrives from NATS, on each subject that a service subscribes to, is counted and dropped. Real services, a
// real server, and a publisher that writes the NATS protocol itself. The messages are random, from a seed.
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';
import { encodeShedRequest } from '@weir/fleet';
import { createLogger, createMetricsRegistry, openNats } from '@weir/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawNats } from '../../harness/raw-nats.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { isReady, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const MESSAGES = 3_000;
const SEED = Number(process.env['WEIR_TEST_SEED'] ?? 20_261_129);

/** Every subscription of shard, router and control, except those for data, where any message belongs to a lane. */
const SUBJECTS = [
  'weir.ctl.shed.s1',
  'weir.ctl.beat.desktop.s1',
  'weir.ctl.beat.x.y',
  'weir.live.state.lobby.k',
  'weir.live.critical.lobby',
  'weir.cosmetic.lobby',
  'weir.cosmetic.a..b',
];
const REPLIES = [
  '',
  'weir.state.x.stolen',
  'weir.critical.stolen',
  'weir.ctl.shed.s1',
  'weir.state.*.stolen',
  '_INBOX.*',
  '_INBOX.>',
  '_INBOX.a.b',
  '$JS.API.STREAM.PURGE.WEIR_STATE',
  '$JS.API.STREAM.DELETE.WEIR_CRITICAL',
  `weir.state.${'x'.repeat(500)}.k`,
];
const HEADERS = [
  'NATS/1.0\r\n\r\n',
  'NATS/1.0 503\r\n\r\n',
  'NATS/1.0 100 Idle Heartbeat\r\n\r\n',
  'NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\n\r\n',
  'NATS/1.0\r\nno colon\r\nbad key: x\r\n: empty\r\n\r\n',
  'NATS/1.0\r\nNats-Stream: WEIR_STATE\r\nNats-Sequence: 9007199254740993\r\nNats-Time-Stamp: x\r\n\r\n',
  'NATS/1.0\r\nNats-Stream: WEIR_CRITICAL\r\nNats-Sequence: 1e3\r\n\r\n',
  'NATS/1.0\r\nNats-Stream: WEIR_STATE\r\nNats-Sequence: -1\r\nNats-Sequence: 99\r\n\r\n',
  `NATS/1.0\r\nx: ${'y'.repeat(4_000)}\r\n\r\n`,
  'GARBAGE\r\n\r\n',
];
const DATA = [
  new Uint8Array(),
  Buffer.from('{'),
  Buffer.from('null'),
  Buffer.from('[]'),
  Buffer.from('{"v":1}'),
  Buffer.from('{"v":1,"moves":"all","withinMs":5000}'),
  Buffer.from('{"v":1,"pool":"desktop","shard":"s1","url":"ws://x","connections":-1}'),
  Buffer.from(encodeShedRequest({ moves: 500, withinMs: 1_000 })),
  Buffer.alloc(900_000, 0x5b),
];

let cluster: SmallCluster;
let services: readonly Service[];
let shard: Service;
let control: Service;
let nats: NatsConnection;
let raw: RawNats;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('desktop', 's1');
  control = await cluster.control();
  services = [cluster.router, shard, control, await cluster.publisher()];
  await until(async () => (await Promise.all(services.map(isReady))).every(Boolean), 'all are ready');
  nats = await connect({ servers: cluster.nats.url });
  raw = await RawNats.connect(cluster.nats.url);
});

afterAll(async () => {
  raw?.close();
  await nats?.close();
  await cluster?.stop();
});

/** Mulberry32: the same messages for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function lastSequences(): Promise<readonly number[]> {
  const { streams } = await jetstreamManager(nats);
  const infos = await Promise.all(['WEIR_STATE', 'WEIR_CRITICAL'].map((name) => streams.info(name)));
  return infos.map(({ state }) => state.last_seq);
}

describe('messages that no service of ours has sent', () => {
  it(`end no process and get into no stream (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    const one = <T>(of: readonly T[]): T | undefined => of[Math.floor(random() * of.length)];
    const before = await lastSequences();
    raw.send({ subject: 'weir.ctl.shed.s1' });
    for (let i = 0; i < MESSAGES; i++) {
      const headers = random() < 0.5 ? one(HEADERS) : undefined;
      const data = random() < 0.3 ? bytes(random) : rarely(one(DATA), random);
      raw.send({
        subject: one(SUBJECTS) ?? '',
        reply: one(REPLIES) ?? '',
        ...(headers === undefined ? {} : { headers }),
        data,
      });
      if (i % 100 === 0) await raw.flush();
    }
    await raw.flush();
    await until(
      async () => (await metric(shard, 'weir_shard_shed_requests_total{outcome="invalid"}')) > MESSAGES / 20,
      'the shard has counted',
    );
    await until(
      async () =>
        (await metric(cluster.router, 'weir_router_beats_total{outcome="invalid"}')) > MESSAGES / 20,
      'the router has counted',
    );
    await until(
      async () => (await metric(control, 'weir_control_beats_total{outcome="invalid"}')) > MESSAGES / 20,
      'control has counted',
    );
    expect(await metric(shard, 'weir_shard_intake_rejected_total{lane="cosmetic",reason="subject"}')).toBe(0);
    expect(await lastSequences()).toEqual(before);
    expect(services.map(({ process }) => [process.exitCode, process.signalCode])).toEqual(
      services.map(() => [null, null]),
    );
    await until(async () => (await Promise.all(services.map(isReady))).every(Boolean), 'all are ready');
  });

  it("as answers to a request do not stop the connection's reader", async () => {
    const registry = createMetricsRegistry({ service: 'test', version: '0' });
    const logger = createLogger({ service: 'test', level: 'fatal' });
    const link = openNats({ servers: [cluster.nats.url], name: 'asks', logger, registry });
    nats.subscribe('asked', {
      callback: (_error, { reply = '' }) => {
        raw.send({ subject: reply, headers: 'NATS/1.0 500\r\nbad key: x\r\n\r\n' });
        raw.send({ subject: reply, data: Buffer.from('the answer') });
      },
    });
    await nats.flush();
    const answer = await (await link.ready()).request('asked', '', { timeout: 5_000 });
    expect(answer.string()).toBe('the answer');
    expect(await registry.metrics()).toContain('weir_nats_dropped_messages_total 1');
    await link.close();
  });
});

function bytes(random: () => number): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random() * 64) }, () => Math.floor(random() * 256));
}

/** Sends large messages seldom: the test is about their effect, not their number. */
function rarely(data: Uint8Array | undefined, random: () => number): Uint8Array {
  return data === undefined || (data.length > 1_000 && random() > 0.05) ? new Uint8Array() : data;
}
