// The hooks with the types of an application's channels, named once.
import type { Channels, CriticalEvent, GapEvent, Status, Weir } from '@weir/client';
import { useChannel, useCritical, useKey, useStatus } from './hooks.ts';
import { useWeir } from './provider.ts';

/** The hooks of an application whose channels are `C`: names are checked, and values have their types. */
export interface Hooks<C extends Channels<C>> {
  readonly useWeir: () => Weir<C> | undefined;
  readonly useChannel: <N extends keyof C & string>(name: N) => ReadonlyMap<string, C[N]['state']>;
  readonly useKey: <N extends keyof C & string>(name: N, key: string) => C[N]['state'] | undefined;
  readonly useCritical: <N extends keyof C & string>(
    name: N,
    onCritical: (event: CriticalEvent<C[N]['critical']>) => void,
    onGap?: (event: GapEvent) => void,
  ) => void;
  readonly useStatus: () => Status;
}

/**
 * The hooks of this package with the types of `C`, as `connect` has them: `const { useKey } = typedHooks<Board>()`, once
 * and outside of components.
 */
export function typedHooks<C extends Channels<C>>(): Hooks<C> {
  return { useWeir, useChannel, useKey, useCritical, useStatus };
}
