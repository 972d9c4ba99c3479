// How a client has been moved between pools, as it travels in tickets and hints: what keeps it from flapping, whichever
// shard it is on. Durations and counts alone, so that no two clocks need to agree. Judges nothing: shards do.

/** What a shard must know of moves that other shards asked for. */
export interface MoveHistory {
  /** How long the client had been in its pool since it was last moved or measured again; in whole seconds. */
  readonly stayedMs: number;
  /** Moves that its network was the reason of, without a long calm in between. */
  readonly moves: number;
  /** The last one was for nothing: the router put it into the pool again that it came from. */
  readonly kept: boolean;
}

/** Longer stays and more moves count as these. */
const MAX_STAYED_S = 86_400;
const MAX_MOVES = 99;

const TEXT = /^(\d{1,5})\.(\d{1,2})(k?)$/;

/** For a claim, in few bytes: `61.2` or `0.3k`. */
export function encodeMoveHistory({ stayedMs, moves, kept }: MoveHistory): string {
  const stayedS = whole(stayedMs / 1_000, MAX_STAYED_S);
  return `${stayedS}.${whole(moves, MAX_MOVES)}${kept ? 'k' : ''}`;
}

/** Nothing where it is none of ours: a client without a history has just come. */
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
