// Carries a client's history of moves from its hint into the ticket and into the next hint. Pure. Does not judge which
// clients may be moved: shards do.
import type { Hint, MoveHistory } from '@weir/protocol';

/** Outcome of a visit for a client's pool. */
export type Remeasured = 'faster' | 'slower' | 'same';

/** The history for the ticket of a client that goes to `pool`; undefined for a new client. */
export function nextHistory(hint: Hint | undefined, pool: string): MoveHistory | undefined {
  const history = hint?.history;
  if (history === undefined) return undefined;
  const stayed = hint?.pool === pool;
  // A new measurement restarts the stay, whatever its result.
  if (hint?.measure === true) return { ...history, stayedMs: 0, kept: stayed };
  return stayed ? history : { ...history, stayedMs: 0, kept: false };
}

/** The direction of a client that was measured again; undefined for others. */
export function remeasured(
  hint: Hint | undefined,
  pool: string,
  pools: readonly string[],
): Remeasured | undefined {
  if (hint?.measure !== true) return undefined;
  if (hint.pool === pool) return 'same';
  return pools.indexOf(pool) > pools.indexOf(hint.pool) ? 'faster' : 'slower';
}
