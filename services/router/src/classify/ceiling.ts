// The fastest pool that a client wants: what it asks for, its Save-Data, and what it asked for where it was moved from.
// Pure. A wish only ever lowers, so of several the slowest counts.

export interface Wishes {
  /** `class=`. */
  readonly asked?: string | undefined;
  /** `Save-Data: on`. */
  readonly saveData: boolean;
  /** The ceiling in a shard's hint: a moved client does not say again what it wants. */
  readonly before?: string | undefined;
}

/** Nothing where it wants the fastest that it can have. */
export function ceilingOf({ asked, saveData, before }: Wishes, pools: readonly string[]): string | undefined {
  const wishes = [asked, before, saveData ? pools[0] : undefined]
    .map((pool) => (pool === undefined ? -1 : pools.indexOf(pool)))
    .filter((at) => at >= 0);
  return wishes.length === 0 ? undefined : pools[Math.min(...wishes)];
}
