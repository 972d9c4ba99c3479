// Somebody changes the settings of a stream while shards read it: no client loses a key for it.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const scene = useScene();

it('republishes headers alone: no key counts as deleted, and shards have the content sent again', async () => {
  const js = jetstream(scene.nats);
  const manager = await jetstreamManager(scene.nats);
  for (const key of ['a', 'b']) await js.publish(`weir.state.lobby.${key}`, '1');
  const client = await scene.client();
  await until(() => client.state.size === 2, 'it has both keys');
  const { config } = await manager.streams.info('WEIR_STATE');
  const { src = '', dest = '' } = config.republish ?? {};
  await manager.streams.update('WEIR_STATE', { ...config, republish: { src, dest, headers_only: true } });
  for (const key of ['a', 'b']) await js.publish(`weir.state.lobby.${key}`, '2');
  await until(() => [...client.state.values()].join() === '2,2', 'it has the new values');
  const { config: mended } = await manager.streams.info('WEIR_STATE');
  expect(mended.republish?.headers_only ?? false).toBe(false);
  expect(client.of('state').flatMap(({ message }) => message['del'] ?? [])).toEqual([]);
  expect(client.closed).toBeUndefined();
});
