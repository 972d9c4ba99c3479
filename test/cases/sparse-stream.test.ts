// Shards that start on a state stream with large holes must not hold up those who publish.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../harness/bare-client.ts';
import { SmallCluster, until } from '../harness/small-cluster.ts';

/** The report had 50,000 keys over a million sequences; a part of that shows the same and takes seconds. */
const KEYS = 5_000;
const ROUNDS = 10;

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

it('four at once are ready in 10 s, acknowledgements stay below 1 s, the newest value wins (case B4)', async () => {
  for (let i = 0; i < KEYS; i++) nats.publish(`weir.state.sparse.k${i}`, '0');
  // The holes: few keys that change all the time.
  for (let i = 0; i < KEYS * ROUNDS; i++) {
    nats.publish(`weir.state.sparse.k${i % 50}`, String(i));
    if (i % 5_000 === 0) await nats.flush();
  }
  await jetstream(nats).publish('weir.state.sparse.last', '1', { timeout: 20_000 });

  let worstMs = 0;
  let acknowledged = 0;
  let isOver = false;
  const publishing = (async () => {
    while (!isOver) {
      const startMs = performance.now();
      await jetstream(nats).publish(`weir.state.sparse.live`, String(acknowledged));
      worstMs = Math.max(worstMs, performance.now() - startMs);
      acknowledged++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const shards = await Promise.all(
    Array.from({ length: 4 }, (_, i) => cluster.startShard('mobile', `mobile-${i}`)),
  );
  const listeningMs = performance.now();
  for (const shard of shards) {
    await until(async () => (await fetch(`${shard.admin}/readyz`)).ok, 'the shard is ready', 10_000);
  }
  expect(performance.now() - listeningMs).toBeLessThan(10_000);
  isOver = true;
  await publishing;
  expect(acknowledged).toBeGreaterThan(10);
  expect(worstMs).toBeLessThan(1_000);

  const client = await BareClient.connect(cluster.routerUrl, 'channels=sparse&class=mobile');
  await until(() => client.state.size === KEYS + 2, 'all keys');
  await until(() => client.state.get('live') === String(acknowledged - 1), 'the newest value');
  const total = KEYS * ROUNDS;
  for (let key = 0; key < 50; key++) expect(client.state.get(`k${key}`)).toBe(String(total - 50 + key));
  for (let key = 50; key < KEYS; key++) expect(client.state.get(`k${key}`)).toBe('0');
  client.close();
}, 60_000);
