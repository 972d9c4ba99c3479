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

it.each([
  ['keeps several messages of a key', { max_msgs_per_subject: 5 }],
  ['stores one channel alone', { subjects: ['weir.state.lobby.>'] }],
])('%s: a shard mends the stream', async (_name, change) => {
  const js = jetstream(scene.nats);
  const manager = await jetstreamManager(scene.nats);
  await js.publish('weir.state.lobby.c', '1');
  const client = await scene.client();
  const { config } = await manager.streams.info('WEIR_STATE');
  const { subjects, max_msgs_per_subject: perSubject } = config;
  await manager.streams.update('WEIR_STATE', { ...config, ...change });
  await until(async () => {
    const { config: now } = await manager.streams.info('WEIR_STATE');
    return now.max_msgs_per_subject === perSubject && now.subjects.join() === subjects.join();
  }, 'the stream is as it was');
  await js.publish('weir.state.lobby.c', '2');
  await until(() => client.state.get('c') === '2', 'it has the new value');
  expect(client.closed).toBeUndefined();
});
