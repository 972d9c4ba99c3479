// A client subscribes to a channel and asks for its newest critical messages, while the snapshot of another channel fills
// its network: it gets them, in order and before all later ones. Shards used to leave them out without a word.
import { jetstream } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const KEYS = 60;
const EARLIER = 20;

const scene = useScene();

it('gets the newest critical messages of a channel while a snapshot is under way', async () => {
  const js = jetstream(scene.nats);
  for (let i = 0; i < KEYS; i++) await js.publish(`weir.state.large.k${i}`, `"${'x'.repeat(10_000)}"`);
  for (let i = 0; i < EARLIER; i++) await js.publish('weir.critical.chat', String(i));
  const link = { kbps: 800, delayMs: 60, bufferBytes: 1_000_000 };
  const client = await scene.visitor('large', await scene.proxy({ down: link, up: link }));
  await until(() => client.of('state').length > 1, 'the snapshot is under way');
  client.ws.send(JSON.stringify({ type: 'subscribe', channels: ['chat'], last: 10 }));
  await until(() => client.ids.length > 0, 'the first message');
  await js.publish('weir.critical.chat', String(EARLIER));
  await until(() => client.has('large') && client.has('chat'), 'the snapshots are complete');
  const numbers = client.of('critical').map(({ message }) => message['data']);
  expect(numbers).toEqual(Array.from({ length: 11 }, (_, i) => EARLIER - 10 + i));
  expect(client.of('gap')).toEqual([]);
});
