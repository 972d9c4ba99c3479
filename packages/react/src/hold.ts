// The channels that components use: the first user subscribes, and the channel is left after the last one. Independent
// of React.
import type { Channel } from '@weir/client';
import type { AnyWeir } from './provider.ts';

interface Hold {
  users: number;
  /** Whether `hold` subscribed. A subscription of the application stays when the components are gone. */
  readonly ours: boolean;
  /** Runs when the channel has had no user for a turn. */
  leaving: ReturnType<typeof setTimeout> | undefined;
  stopWaiting: (() => void) | undefined;
}

/** As many channels per client as it may have subscriptions: above that it throws CHANNEL_LIMIT. */
const holdsOf = new WeakMap<AnyWeir, Map<string, Hold>>();

/** Subscribes to the channel unless it is subscribed. Returns a function that ends this use. Throws CHANNEL_LIMIT. */
export function hold(weir: AnyWeir, channel: Channel): () => void {
  const holds = holdsOf.get(weir) ?? new Map<string, Hold>();
  holdsOf.set(weir, holds);
  let held = holds.get(channel.name);
  if (held === undefined) {
    held = { users: 0, ours: !channel.subscribed, leaving: undefined, stopWaiting: undefined };
    if (held.ours) held.stopWaiting = subscribe(weir, channel);
    holds.set(channel.name, held);
  }
  const { leaving } = held;
  clearTimeout(leaving);
  held.users++;
  return () => {
    if (--held.users > 0) return;
    // In the same commit another component may replace this one, and StrictMode mounts it again. Leaving at once would
    // empty the channel's state in between.
    held.leaving = setTimeout(() => {
      holds.delete(channel.name);
      held.stopWaiting?.();
      if (held.ours) channel.unsubscribe();
    }, 0);
  };
}

/** Subscribes, or waits until a closed client connects again. Returns a function that ends the wait. */
function subscribe(weir: AnyWeir, channel: Channel): (() => void) | undefined {
  if (weir.status !== 'closed') {
    channel.subscribe();
    return undefined;
  }
  const stop = weir.on('status', (status) => {
    if (status === 'closed') return;
    stop();
    channel.subscribe();
  });
  return stop;
}
