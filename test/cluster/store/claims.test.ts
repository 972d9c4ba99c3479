// A client reconnects while NATS is away, with a position beyond what the shard knows. The shard trusts it until it can
// ask the streams.
import { jetstream } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { decodePosition, encodePosition } from '@weir/protocol';
import { expect, it } from 'vitest';
import { openAt } from '../../harness/open-at.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

it('a position from the future, shown while NATS is away, is judged when NATS is back', async () => {
  const cluster = await SmallCluster.start();
  const service = await cluster.shard('desktop', 'desktop-1');
  const at = { pool: 'desktop', id: 'desktop-1', service };
  const nats = await connectNats({
    servers: cluster.nats.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  const publish = async (subject: string, value: string): Promise<number> =>
    (await jetstream(nats).publish(subject, value)).seq;
  for (const key of ['x', 'y']) await publish(`weir.state.lobby.${key}`, '1');
  const id = await publish('weir.critical.lobby', '1');
  const first = await openAt(cluster, at, ['lobby']);
  const covers = (): boolean => {
    const at = decodePosition(first.position ?? '');
    return at !== undefined && at.stateSeq >= 2 && at.criticalSeq >= id;
  };
  await until(() => first.state.size === 2 && covers(), 'the first client has a position behind everything');
  const position = decodePosition(first.position ?? '');
  if (position === undefined) throw new Error('there is no position');
  first.close();

  await cluster.nats.kill();
  await until(async () => (await metric(service, 'weir_shard_stale')) === 1, 'the shard is stale');
  const ahead = { stateSeq: position.stateSeq + 50, criticalSeq: position.criticalSeq + 50 };
  const truthful = await openAt(cluster, at, ['lobby'], encodePosition(position));
  const forger = await openAt(cluster, at, ['lobby'], encodePosition({ ...position, ...ahead }));
  for (const client of [truthful, forger]) {
    await until(() => client.of('welcome').length > 0, 'it is welcome', 10_000);
    expect(client.of('welcome')[0]?.message['resumed']).toBe(true);
  }
  await cluster.nats.restart();
  await until(() => forger.of('state').some(({ message }) => message['snapshot'] === true), 'a snapshot');
  expect(Object.fromEntries(forger.state)).toEqual({ x: '1', y: '1' });
  expect(forger.of('gap').map(({ message }) => message)).toEqual([
    { type: 'gap', channel: 'lobby', lane: 'critical', after: id + 50, reset: true },
  ]);
  expect([truthful.of('state'), truthful.of('gap')]).toEqual([[], []]);

  let next = 0;
  await until(async () => {
    next = await publish('weir.critical.lobby', '2').catch(() => 0);
    return next > 0;
  }, 'NATS takes messages again');
  for (const client of [truthful, forger])
    await until(() => client.ids.includes(next), 'both get the next critical message');
  for (const client of [truthful, forger]) client.close();
  await nats.close();
  await cluster.stop();
});
