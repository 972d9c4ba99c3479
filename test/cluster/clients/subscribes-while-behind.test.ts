// A client subscribes to a channel while the snapshot of another channel fills its network. It gets the newest critical
// messages that it asks for, in order and before all later ones (shards used to leave them out), and if it comes back
// before everything has arrived, it misses none (its last position did not speak for the channel).
import { jetstream } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const KEYS = 60;
const EARLIER = 20;

const scene = useScene();

/** A client whose first snapshot is under way for seconds. */
async function joining(): Promise<BareClient> {
  for (let i = 0; i < KEYS; i++)
    await jetstream(scene.nats).publish(`weir.state.large.k${i}`, `"${'x'.repeat(10_000)}"`);
  const link = { kbps: 800, delayMs: 60, bufferBytes: 1_000_000 };
  const client = await scene.visitor('large', await scene.proxy({ down: link, up: link }));
  await until(() => client.of('state').length > 1, 'the snapshot is under way');
  return client;
}

it('misses no critical message of the new channel if it comes back before the snapshots are complete', async () => {
  const js = jetstream(scene.nats);
  const client = await joining();
  client.ws.send(JSON.stringify({ type: 'subscribe', channels: ['news'] }));
  await until(() => client.position !== undefined, 'a position for what is critical');
  expect(client.of('position')[0]?.message).toMatchObject({ channels: ['news'] });
  await js.publish('weir.critical.news', '0');
  await until(() => client.ids.length === 1, 'the first message');
  expect(client.has('large')).toBe(false);
  client.ws.terminate();
  for (const value of ['1', '2']) await js.publish('weir.critical.news', value);
  const again = BareClient.open(`${await scene.url('news')}&resume=${client.position}`);
  await until(() => again.ids.length >= 2 && again.has('news'), 'what it missed');
  again.close();
  expect(again.of('gap')).toEqual([]);
  expect(again.of('critical').map(({ message }) => message['data'])).toEqual([0, 1, 2]);
});

it('misses none either where it comes back with a position of other channels, and its connection breaks again', async () => {
  const js = jetstream(scene.nats);
  for (let i = 0; i < KEYS; i++) await js.publish(`weir.state.board.k${i}`, `"${'x'.repeat(10_000)}"`);
  const first = await scene.client('elsewhere');
  first.ws.terminate();
  const link = { kbps: 800, delayMs: 60, bufferBytes: 1_000_000 };
  const proxy = await scene.proxy({ down: link, up: link });
  const client = BareClient.open(`${proxy.url(await scene.url('board'))}&resume=${first.position}`);
  await until(() => client.of('state').length > 0, 'the snapshot is under way');
  await js.publish('weir.critical.board', '0');
  await until(() => client.ids.length === 1, 'the first message');
  expect(client.has('board')).toBe(false);
  client.ws.terminate();
  for (const value of ['1', '2']) await js.publish('weir.critical.board', value);
  const position = client.position ?? first.position;
  const again = BareClient.open(`${await scene.url('board')}&resume=${position}`);
  await until(() => again.has('board'), 'it is served');
  await js.publish('weir.critical.board', '3');
  await until(() => again.of('critical').at(-1)?.message['data'] === 3, 'the last message');
  again.close();
  // A client drops what it has had.
  expect(again.of('gap')).toEqual([]);
  expect(again.of('critical').map(({ message }) => message['data'])).toEqual([0, 1, 2, 3]);
});

it('gets the newest critical messages of a channel while a snapshot is under way', async () => {
  const js = jetstream(scene.nats);
  for (let i = 0; i < EARLIER; i++) await js.publish('weir.critical.chat', String(i));
  const client = await joining();
  client.ws.send(JSON.stringify({ type: 'subscribe', channels: ['chat'], last: 10 }));
  await until(() => client.ids.length > 0, 'the first message');
  await js.publish('weir.critical.chat', String(EARLIER));
  await until(() => client.has('large') && client.has('chat'), 'the snapshots are complete');
  const numbers = client.of('critical').map(({ message }) => message['data']);
  expect(numbers).toEqual(Array.from({ length: 11 }, (_, i) => EARLIER - 10 + i));
  expect(client.of('gap')).toEqual([]);
});
