// Which channels components use: the first user subscribes, and after the last one is gone the channel is left. Knows
// no React.
import type { Channel } from '@weir/client';
import type { AnyWeir } from './provider.ts';

interface Hold {
  users: number;
  /** Whether the subscription began here. One that the application made itself stays when the components are gone. */
  readonly ours: boolean;
  /** Runs once nobody has used the channel for a turn. */
  leaving: ReturnType<typeof setTimeout> | undefined;
  stopWaiting: (() => void) | undefined;
}

/** As many channels a client as it may have subscriptions: it throws CHANNEL_LIMIT beyond. */
const holdsOf = new WeakMap<AnyWeir, Map<string, Hold>>();

/** Subscribes to the channel where nobody has yet; returns how to end this use of it. Throws CHANNEL_LIMIT. */
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
    // Another component may take the place of this one in the same commit, and StrictMode mounts it again. Leaving at
    // once would empty the channel's state in between.
    held.leaving = setTimeout(() => {
      holds.delete(channel.name);
      held.stopWaiting?.();
      if (held.ours) channel.unsubscribe();
    }, 0);
  };
}

/** A closed client accepts no subscription: this one waits until it connects again. Returns how to end the wait. */
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
