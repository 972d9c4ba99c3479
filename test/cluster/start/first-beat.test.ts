// A shard that has just started gets clients at once: its first ready beat already says that it is not stale.
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await SmallCluster.start();
});
afterAll(() => cluster.stop());

it('is not stale in its first ready beat', async () => {
  const nats = await connectNats({ servers: cluster.nats.url });
  const beats: { readonly ready: boolean }[] = [];
  nats.subscribe('weir.ctl.beat.desktop.*', { callback: (_, message) => void beats.push(message.json()) });
  await nats.flush();
  await cluster.shard('desktop', 'desktop-1');
  // On a slow machine an earlier beat says that the streams have not been read yet.
  const first = (): unknown => beats.find(({ ready }) => ready);
  await until(() => first() !== undefined, 'a beat that is ready');
  expect(first()).toMatchObject({ shard: 'desktop-1', ready: true, stale: false, draining: false });
  await nats.close();
});
