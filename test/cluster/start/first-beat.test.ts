// A shard that has just started is given clients at once: the first beat that says it is ready says that it is not stale.
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await SmallCluster.start();
});
afterAll(() => cluster.stop());

it('says in its first beat that is ready that it is not stale', async () => {
  const nats = await connectNats({ servers: cluster.nats.url });
  const beats: { readonly ready: boolean }[] = [];
  nats.subscribe('weir.ctl.beat.desktop.*', { callback: (_, message) => void beats.push(message.json()) });
  await nats.flush();
  await cluster.shard('desktop', 'desktop-1');
  // On a slow machine there is one before the streams have been read.
  const first = (): unknown => beats.find(({ ready }) => ready);
  await until(() => first() !== undefined, 'a beat that is ready');
  expect(first()).toMatchObject({ shard: 'desktop-1', ready: true, stale: false, draining: false });
  await nats.close();
});
