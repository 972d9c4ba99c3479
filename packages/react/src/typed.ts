// The hooks with the types of an application's channels, named once.
import type { Channels, CriticalEvent, GapEvent, Status, Weir } from '@weir/client';
import { useChannel, useCritical, useKey, useStatus } from './hooks.ts';
import { useWeir } from './provider.ts';

/** The hooks of an application whose channels are `C`: names are checked, and values have their types. */
export interface Hooks<C extends Channels<C>> {
  /** The client of the nearest provider, with the application's types; undefined on a server. */
  readonly useWeir: () => Weir<C> | undefined;
  /** The newest values of a channel, by key. */
  readonly useChannel: <N extends keyof C & string>(name: N) => ReadonlyMap<string, C[N]['state']>;
  /** The newest value of one key; renders for that key alone. */
  readonly useKey: <N extends keyof C & string>(name: N, key: string) => C[N]['state'] | undefined;
  /** Calls a function with each critical message of a channel, once and in order, and another one where some are lost. */
  readonly useCritical: <N extends keyof C & string>(
    name: N,
    onCritical: (event: CriticalEvent<C[N]['critical']>) => void,
    onGap?: (event: GapEvent) => void,
  ) => void;
  /** What the connection is doing. */
  readonly useStatus: () => Status;
}

/**
 * The hooks of this package with the types of `C`, as `connect` has them: `const { useKey } = typedHooks<Board>()`, once
 * and outside of components.
 */
export function typedHooks<C extends Channels<C>>(): Hooks<C> {
  return { useWeir, useChannel, useKey, useCritical, useStatus };
}
