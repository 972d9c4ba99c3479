// NATS drops messages silently: control measures how full the streams are, and counts messages that were not stored.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let nats: NatsConnection;
let control: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  const shard = await cluster.shard('desktop', 'desktop-1', { WEIR_STREAM_MAX_BYTES: '1048576' });
  expect(shard.process.exitCode).toBeNull();
  nats = await connectNats({ servers: cluster.nats.url });
  control = await cluster.control({ WEIR_MEASURE_EVERY_MS: '1000' });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

const of = (name: string, stream = 'state'): Promise<number> =>
  metric(control, `weir_control_stream_${name}{stream="${stream}"}`);

it('counts published messages, and counts neither edges nor duplicates as losses', async () => {
  let i = 0;
  await until(async () => {
    const all = Array.from({ length: 50 }, () =>
      jetstream(nats).publish('weir.critical.goals', 'null', { msgID: 'always the same' }),
    );
    for (let n = 0; n < 50; n++) nats.publish(`weir.state.lobby.k${i % 20}`, String(i++));
    await Promise.all(all);
    return (
      (await of('counted_messages_total')) > 500 && (await of('counted_messages_total', 'critical')) > 500
    );
  }, 'control has counted both');
  expect([await of('not_stored_messages_total'), await of('not_stored_messages_total', 'critical')]).toEqual([
    0, 0,
  ]);
  expect(await of('max_bytes')).toBe(1_048_576);
  // 20 keys.
  expect(await of('messages')).toBeLessThanOrEqual(21);
});

it('reports that a stream is full, and that plain messages are no longer stored', async () => {
  const value = JSON.stringify('x'.repeat(16_000));
  let isFull = false;
  for (let i = 0; !isFull && i < 100; i++) {
    isFull = await jetstream(nats)
      .publish(`weir.state.full.k${i}`, value)
      .then(
        () => false,
        () => true,
      );
  }
  expect(isFull).toBe(true);
  await until(async () => (await of('fill_ratio')) > 0.95, 'the gauge is near 1');
  let i = 0;
  await until(async () => {
    for (let n = 0; n < 50; n++) nats.publish(`weir.state.full.more${i++}`, value);
    await nats.flush();
    return (await of('not_stored_messages_total')) > 0;
  }, 'control misses messages in the stream');
  expect(await of('not_stored_messages_total')).toBeLessThanOrEqual(i);
  expect(await of('not_stored_messages_total', 'critical')).toBe(0);
  await until(() => control.log.some((line) => line.includes('messages were not stored')), 'the log says so');
});
