// The history of a client's moves between pools, as tickets and hints carry it. It keeps the client from flapping,
// whichever shard it is on. It has only durations and counts, so clocks need not agree. Shards judge it, not this file.

/** A shard's knowledge of the moves that other shards asked for. */
export interface MoveHistory {
  /** Whole seconds that the client has been in its pool since it was last moved or measured again. */
  readonly stayedMs: number;
  /** Moves because of its network, without a long calm in between. */
  readonly moves: number;
  /** Whether the last move had no effect: the router left the client in its pool. */
  readonly kept: boolean;
}

/** Longer stays and more moves count as these. */
const MAX_STAYED_S = 86_400;
const MAX_MOVES = 99;

const TEXT = /^(\d{1,5})\.(\d{1,2})(k?)$/;

/** The short text of a claim: `61.2` or `0.3k`. */
export function encodeMoveHistory({ stayedMs, moves, kept }: MoveHistory): string {
  const stayedS = whole(stayedMs / 1_000, MAX_STAYED_S);
  return `${stayedS}.${whole(moves, MAX_MOVES)}${kept ? 'k' : ''}`;
}

/** Parses the text; undefined if it is not valid. A client without a history counts as new. */
export function decodeMoveHistory(claim: unknown): MoveHistory | undefined {
  const [, stayedS, moves, kept] = (typeof claim === 'string' && TEXT.exec(claim)) || [];
  if (stayedS === undefined) return undefined;
  return {
    stayedMs: whole(Number(stayedS), MAX_STAYED_S) * 1_000,
    moves: Number(moves),
    kept: kept === 'k',
  };
}

function whole(value: number, max: number): number {
  return value > 0 ? Math.min(Math.floor(value), max) : 0;
}
