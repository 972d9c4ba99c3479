// The hooks. Each is a thin layer over the client: React reads values from it and listens for changes; no copies.
import type { Channel, CriticalEvent, GapEvent, Status } from '@weir/client';
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import { hold } from './hold.ts';
import { useLatest } from './latest.ts';
import type { AnyWeir } from './provider.ts';
import { useWeir } from './provider.ts';

const NOTHING: ReadonlyMap<string, unknown> = new Map();
const stopNothing = (): void => {};

/**
 * The newest values of a channel, by key; subscribes to it while the component is mounted. The map never changes: each
 * change makes a new map and a render. Empty on a server, and until the first snapshot. Throws CHANNEL_INVALID for an
 * invalid name, CHANNEL_LIMIT above 100 channels.
 */
export function useChannel<State = unknown>(name: string): ReadonlyMap<string, State> {
  const weir = useWeir();
  const read = (): ReadonlyMap<string, unknown> => weir?.channel(name).snapshot ?? NOTHING;
  // The application vouches for the type, as everywhere in the SDK.
  return useSyncExternalStore(useWatch(weir, name), read, () => NOTHING) as ReadonlyMap<string, State>;
}

/**
 * The newest value of one key. The component renders only when that value changes, not for other keys. Undefined if the
 * channel has no such key, on a server, and until the first snapshot. Throws like `useChannel`.
 */
export function useKey<Value = unknown>(name: string, key: string): Value | undefined {
  const weir = useWeir();
  // `state`: a key's value stays the same object until it changes, and no map must be copied.
  const read = (): unknown => weir?.channel(name).state.get(key);
  return useSyncExternalStore(useWatch(weir, name), read, () => undefined) as Value | undefined;
}

/**
 * Calls `onCritical` with each critical message of a channel, once and in order, while the component is mounted, and
 * `onGap` when messages are lost. Calls the functions of the last render. Throws like `useChannel`.
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

/** The state of the connection; `connecting` on a server, and until there is a client. */
export function useStatus(): Status {
  const weir = useWeir();
  const listen = useCallback((run: () => void) => weir?.on('status', run) ?? stopNothing, [weir]);
  const read = (): Status => weir?.status ?? 'connecting';
  return useSyncExternalStore(listen, read, () => 'connecting');
}

/** A subscription for React. It must be the same function at every render, or React would subscribe again. */
function useWatch(weir: AnyWeir | undefined, name: string): (run: () => void) => () => void {
  return useCallback(
    (run: () => void) => {
      if (weir === undefined) return stopNothing;
      const channel: Channel = weir.channel(name);
      const release = hold(weir, channel);
      // More than the event `state`: `subscribe` also reports that the application has left the channel.
      const stop = channel.subscribe(run);
      return () => {
        stop();
        release();
      };
    },
    [weir, name],
  );
}
