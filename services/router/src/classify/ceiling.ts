// The fastest pool that a client wants: its request, its Save-Data, and its wish before a move. Pure. A wish only ever
// lowers the pool, so the slowest of several wishes counts.

export interface Wishes {
  /** `class=`. */
  readonly asked?: string | undefined;
  /** `Save-Data: on`. */
  readonly saveData: boolean;
  /** The ceiling in a shard's hint: a moved client does not repeat its wish. */
  readonly before?: string | undefined;
}

/** Undefined if the client wants the fastest possible pool. */
export function ceilingOf({ asked, saveData, before }: Wishes, pools: readonly string[]): string | undefined {
  const wishes = [asked, before, saveData ? pools[0] : undefined]
    .map((pool) => (pool === undefined ? -1 : pools.indexOf(pool)))
    .filter((at) => at >= 0);
  return wishes.length === 0 ? undefined : pools[Math.min(...wishes)];
}
