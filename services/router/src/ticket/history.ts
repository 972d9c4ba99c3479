// What becomes of a client's history of moves at the router: it goes from the hint into the ticket and into the next
// hint. Pure. Must never judge who may be moved: that is the shards' business.
import type { Hint, MoveHistory } from '@weir/protocol';

/** What a visit made of a client's pool. */
export type Remeasured = 'faster' | 'slower' | 'same';

/** The history for the ticket of a client that goes to `pool`; nothing for one that has just come. */
export function nextHistory(hint: Hint | undefined, pool: string): MoveHistory | undefined {
  const history = hint?.history;
  if (history === undefined) return undefined;
  const stayed = hint?.pool === pool;
  // Measured again, its stay begins anew wherever it goes.
  if (hint?.measure === true) return { ...history, stayedMs: 0, kept: stayed };
  return stayed ? history : { ...history, stayedMs: 0, kept: false };
}

/** Where a client went that was measured again; nothing for others. */
export function remeasured(
  hint: Hint | undefined,
  pool: string,
  pools: readonly string[],
): Remeasured | undefined {
  if (hint?.measure !== true) return undefined;
  if (hint.pool === pool) return 'same';
  return pools.indexOf(pool) > pools.indexOf(hint.pool) ? 'faster' : 'slower';
}
