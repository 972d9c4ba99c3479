// A shard that has just started is given clients at once: its first beat says that it is ready and not stale.
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SmallCluster, until } from '../harness/small-cluster.ts';

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await SmallCluster.start();
});
afterAll(() => cluster.stop());

it('says in its first beat that it is ready and not stale', async () => {
  const nats = await connectNats({ servers: cluster.nats.url });
  const beats: unknown[] = [];
  nats.subscribe('weir.ctl.beat.desktop.*', { callback: (_, message) => void beats.push(message.json()) });
  await nats.flush();
  await cluster.shard('desktop', 'desktop-1');
  await until(() => beats.length > 0, 'a beat');
  expect(beats[0]).toMatchObject({ shard: 'desktop-1', ready: true, stale: false, draining: false });
  await nats.close();
});
