// The hooks. Each is thin over the client: React asks it for values and hears when they change; nothing is copied here.
import type { Channel, CriticalEvent, GapEvent, Status } from '@weir/client';
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import { hold } from './hold.ts';
import { useLatest } from './latest.ts';
import type { AnyWeir } from './provider.ts';
import { useWeir } from './provider.ts';

const NOTHING: ReadonlyMap<string, unknown> = new Map();
const stopNothing = (): void => {};

/**
 * The newest values of a channel, by key; subscribes to it while the component is mounted. The map never changes: after a
 * change there is another one, and the component renders. Empty on a server, and until the first snapshot. Throws
 * CHANNEL_INVALID for what cannot be a name, CHANNEL_LIMIT over 100 channels.
 */
export function useChannel<State = unknown>(name: string): ReadonlyMap<string, State> {
  const weir = useWeir();
  const read = (): ReadonlyMap<string, unknown> => weir?.channel(name).snapshot ?? NOTHING;
  // The type is the application's word, as everywhere in the SDK.
  return useSyncExternalStore(useWatch(weir, name), read, () => NOTHING) as ReadonlyMap<string, State>;
}

/**
 * The newest value of one key. The component renders only when that value changes, whatever other keys do. Undefined
 * where the channel has no such key, on a server, and until the first snapshot. Throws as `useChannel` does.
 */
export function useKey<Value = unknown>(name: string, key: string): Value | undefined {
  const weir = useWeir();
  // `state`, since the value of a key stays the same object until it changes, and no map need be copied.
  const read = (): unknown => weir?.channel(name).state.get(key);
  return useSyncExternalStore(useWatch(weir, name), read, () => undefined) as Value | undefined;
}

/**
 * Calls `onCritical` with each critical message of a channel, once and in order, while the component is mounted; and
 * `onGap` where messages are lost. The functions of the last render are called. Throws as `useChannel` does.
 */
export function useCritical<Critical = unknown>(
  name: string,
  onCritical: (event: CriticalEvent<Critical>) => void,
  onGap?: (event: GapEvent) => void,
): void {
  const weir = useWeir();
  const latest = useLatest({ onCritical, onGap });
  useEffect(() => {
    if (weir === undefined) return undefined;
    const channel = weir.channel<{ critical: Critical }>(name);
    const release = hold(weir, channel);
    const stopCritical = channel.on('critical', (event) => latest.current.onCritical(event));
    const stopGap = channel.on('gap', (event) => latest.current.onGap?.(event));
    return () => {
      stopCritical();
      stopGap();
      release();
    };
  }, [weir, name, latest]);
}

/** What the connection is doing; `connecting` on a server, and until there is a client. */
export function useStatus(): Status {
  const weir = useWeir();
  const listen = useCallback((run: () => void) => weir?.on('status', run) ?? stopNothing, [weir]);
  const read = (): Status => weir?.status ?? 'connecting';
  return useSyncExternalStore(listen, read, () => 'connecting');
}

/** How React hears of changes. The function must stay the same, or React would listen anew at every render. */
function useWatch(weir: AnyWeir | undefined, name: string): (run: () => void) => () => void {
  return useCallback(
    (run: () => void) => {
      if (weir === undefined) return stopNothing;
      const channel: Channel = weir.channel(name);
      const release = hold(weir, channel);
      // More than the event `state`: it also tells when the application itself leaves the channel.
      const stop = channel.subscribe(run);
      return () => {
        stop();
        release();
      };
    },
    [weir, name],
  );
}
