// Many services that start together on an empty server with different settings, and a foreign stream in the way.
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expectSound } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import { elapsed, isReady, SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let nats: NatsConnection;

beforeEach(async () => {
  cluster = await SmallCluster.start({ WEIR_LOG_LEVEL: 'error' });
  nats = await connectNats({ servers: cluster.nats.url });
});

afterEach(async () => {
  await nats.close();
  await cluster.stop();
});

it('eight shards of two releases agree on one stream each, and all are ready (case B8)', async () => {
  const manager = await jetstreamManager(nats);
  let updates = 0;
  nats.subscribe('$JS.EVENT.ADVISORY.STREAM.UPDATED.>', { callback: () => void updates++ });
  await nats.flush();
  const shards = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      cluster.startShard('desktop', `desktop-${i}`, {
        WEIR_CRITICAL_MAX_PER_CHANNEL: i % 2 === 0 ? '1000' : '2000',
        WEIR_CRITICAL_MAX_AGE_MS: i % 2 === 0 ? '60000' : '120000',
      }),
    ),
  );
  const startMs = performance.now();
  await Promise.all(
    shards.map((shard) => until(() => isReady(shard), 'the shard is ready', scale(40_000, 10_000))),
  );
  const readyMs = performance.now() - startMs;
  // If they changed each other's settings, they would continue.
  await elapsed(scale(500, 30_000));
  const names = await manager.streams.names().next();
  expect([...names].sort()).toEqual(['WEIR_CRITICAL', 'WEIR_STATE']);
  // The larger window wins and stays, whichever service was first.
  const { config } = await manager.streams.info('WEIR_CRITICAL');
  expect([config.max_msgs_per_subject, config.max_age]).toEqual([2_000, 120_000_000_000]);
  expect(updates).toBeLessThanOrEqual(2);
  expectSound(cluster.running);
  seen('B8', { shards: shards.length, 'all ready after ms': readyMs, updates });
});

it('a foreign stream in the way: unready and alive until it is gone (case B8)', async () => {
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name: 'FOREIGN', subjects: ['weir.state.>'] });
  const shard = await cluster.startShard('desktop', 'desktop-1');
  await until(
    async () => (await manager.streams.names().next()).includes('WEIR_CRITICAL'),
    'the stream that nothing is in the way of',
  );
  expect(await isReady(shard)).toBe(false);
  // The shard names the stream in its log, but not all the time.
  const named = (): number => shard.log.filter((line) => line.includes('FOREIGN')).length;
  await until(() => named() > 0, 'the log names the stream');
  const before = named();
  await elapsed(scale(1_000, 30_000));
  expect(named() - before).toBeLessThanOrEqual(scale(4, 33));
  const { config } = await manager.streams.info('FOREIGN');
  expect(config.subjects).toEqual(['weir.state.>']);
  await manager.streams.delete('FOREIGN');
  await until(() => isReady(shard), 'the shard is ready', scale(40_000, 10_000));
  expect(shard.process.exitCode).toBeNull();
});
