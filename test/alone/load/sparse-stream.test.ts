// Shards that start on a state stream with large holes must not slow publishers down.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { cpuSeconds, expectSound, percentile } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import { isReady, SmallCluster, until } from '../../harness/small-cluster.ts';

/** The original report had 50,000 keys over 1,050,000 sequences. */
const KEYS = scale(3_000, 50_000);
const ROUNDS = scale(5, 20);
/** At small scale other work shares the machine, so the limit is no measurement. */
const READY_MS = scale(40_000, 10_000);
const ACK_MS = scale(10_000, 1_000);

let cluster: SmallCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  await cluster.shard('desktop', 'desktop-0');
  nats = await connectNats({ servers: cluster.nats.url });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

it('four shards start together and are soon ready, publishers are not slowed, the newest value wins (case B4)', async () => {
  const js = jetstream(nats);
  // An occasional acknowledgement keeps the server's stream from falling behind, where it would lose messages.
  const put = (i: number, key: string, value: string): Promise<unknown> | undefined =>
    i % 1_000 === 0
      ? js.publish(`weir.state.sparse.${key}`, value, { timeout: 20_000 })
      : void nats.publish(`weir.state.sparse.${key}`, value);
  for (let i = 0; i < KEYS; i++) await put(i, `k${i}`, '0');
  // The holes: a few keys that change all the time.
  for (let i = 0; i < KEYS * ROUNDS; i++) await put(i, `k${i % 50}`, String(i));
  const { seq } = await js.publish('weir.state.sparse.last', '1', { timeout: 20_000 });
  expect(seq).toBe(KEYS * (ROUNDS + 1) + 1);

  const acksMs: number[] = [];
  let acknowledged = 0;
  let isOver = false;
  const publishing = (async () => {
    while (!isOver) {
      const startMs = performance.now();
      await js.publish('weir.state.sparse.live', String(acknowledged));
      acksMs.push(performance.now() - startMs);
      acknowledged++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const shards = await Promise.all(
    Array.from({ length: 4 }, (_, i) => cluster.startShard('mobile', `mobile-${i}`)),
  );
  const listeningMs = performance.now();
  await Promise.all(shards.map((shard) => until(() => isReady(shard), 'the shard is ready', READY_MS)));
  const readyMs = performance.now() - listeningMs;
  expect(readyMs).toBeLessThan(READY_MS);
  const cpu = await Promise.all(shards.map(cpuSeconds));
  isOver = true;
  await publishing;
  expect(acknowledged).toBeGreaterThan(10);
  const worstMs = percentile(acksMs, 1);
  expect(worstMs).toBeLessThan(ACK_MS);

  const startMs = performance.now();
  const client = await BareClient.connect(cluster.routerUrl, 'channels=sparse&class=mobile');
  await until(() => client.has('sparse'), 'the whole snapshot');
  const servedMs = performance.now() - startMs;
  expect(client.state.size).toBe(KEYS + 2);
  await until(() => client.state.get('live') === String(acknowledged - 1), 'the newest value');
  const wanted = new Map(Array.from({ length: KEYS }, (_, key) => [`k${key}`, '0']));
  for (let i = KEYS * ROUNDS - 50; i < KEYS * ROUNDS; i++) wanted.set(`k${i % 50}`, String(i));
  wanted.set('last', '1').set('live', String(acknowledged - 1));
  expect([...client.state].filter(([key, value]) => wanted.get(key) !== value)).toEqual([]);
  client.close();
  expectSound(cluster.running);
  seen('B4', {
    keys: KEYS,
    sequences: seq,
    'ready after ms': readyMs,
    'processor seconds a shard': percentile(cpu, 1),
    acknowledgements: acknowledged,
    'median ack ms': percentile(acksMs, 0.5),
    'worst ack ms': worstMs,
    'all keys at a new client after ms': servedMs,
  });
}, 240_000);
