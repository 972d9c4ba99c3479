// What a shard says, in short, and what a channel tells its listeners of it.
import type { ChannelEvent } from '../public.ts';
import type { FakeCluster } from './fake-cluster.ts';

export const snapshot = (set: object, more: object = {}): object => ({
  type: 'state',
  channel: 'lobby',
  snapshot: true,
  set,
  ...more,
});
export const state = (set: object, more: object = {}): object => ({
  type: 'state',
  channel: 'lobby',
  set,
  ...more,
});
export const critical = (id: number): object => ({ type: 'critical', channel: 'lobby', id, data: id });
export const position = (pos: string): object => ({ type: 'position', pos });
export const move = {
  type: 'move',
  url: 'ws://router.test/v1/connect?channels=lobby&hint=H',
  withinMs: 1,
  reason: 'drain',
};

/** Everything that the channel tells its listeners. */
export function heard(cluster: FakeCluster, name = 'lobby'): ChannelEvent[] {
  const events: ChannelEvent[] = [];
  const channel = cluster.client.channel(name);
  channel.on('state', (event) => events.push(event));
  channel.on('critical', (event) => events.push(event));
  channel.on('cosmetic', (event) => events.push(event));
  channel.on('gap', (event) => events.push(event));
  return events;
}
export const ids = (events: readonly ChannelEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'critical' ? [event.id] : []));
