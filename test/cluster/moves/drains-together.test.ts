// Shards of a pool that drain together share one pace: the remaining shard gets no more clients a second than from one
// drain.
import { once } from 'node:events';
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const CLIENTS = 60;
const MOVES_PER_SECOND = 10;

let cluster: SmallCluster;
const clients: Weir[] = [];

beforeAll(async () => {
  cluster = await SmallCluster.start({}, {});
});

afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.stop();
});

it('two shards that drain together send their clients away at the pace of one (case K7)', async () => {
  const env = {
    WEIR_MOVES_PER_SECOND: String(MOVES_PER_SECOND),
    WEIR_DRAIN_WINDOW_MS: '100',
    WEIR_CAPACITY: '200',
  };
  const leaving = [
    await cluster.shard('desktop', 'leaving-1', env),
    await cluster.shard('desktop', 'leaving-2', env),
  ];
  for (let i = 0; i < CLIENTS; i++)
    clients.push(connect({ url: cluster.routerUrl, channels: ['lobby'], WebSocket }));
  await until(() => clients.every(({ status }) => status === 'open'), 'all are served');
  const staying = await cluster.shard('desktop', 'staying', env);
  const arrived = (): Promise<number> => metric(staying, 'weir_shard_admissions_total{outcome="admitted"}');
  expect(await arrived()).toBe(0);

  const ended = leaving.map(({ process }) => once(process, 'exit'));
  for (const { process } of leaving) process.kill('SIGTERM');
  for (const shard of leaving)
    await until(async () => (await metric(shard, 'weir_shard_draining_shards')) === 2, 'both share the pace');
  await until(async () => (await arrived()) > 0, 'the first has come');
  const firstMs = performance.now();
  await until(async () => (await arrived()) === CLIENTS, 'all have come', 60_000);
  const tookMs = performance.now() - firstMs;
  // One after the other takes 6 s, in parallel 3 s; longer on a busy machine.
  expect(tookMs).toBeGreaterThan(4_500);
  expect((await Promise.all(ended)).map(([code]) => code)).toEqual([0, 0]);
  expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 'open'));
  expect(await metric(staying, 'weir_shard_connections')).toBe(CLIENTS);
  expect(await metric(staying, 'weir_shard_draining_shards')).toBe(0);
});
