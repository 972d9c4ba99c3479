// How one client stands in its pool: its stay, the moves behind it, and how long it has been well. A few numbers per
// connection, changed in place at each pong. It judges nothing: the limits are the reassignment's.
import type { MoveHistory } from '@weir/protocol';

/** Longest time that one pong can prove: a quiet connection is pinged seldom, and silence shows no health. */
const PROVES_MS = 3_000;

/** What is known of a client when it is admitted. */
export interface StandingOptions {
  /** From its ticket; nothing for a client that has just come. */
  readonly history: MoveHistory | undefined;
  /** Whether a faster pool would be welcome: it has not asked for this one (`class=`, Save-Data). */
  readonly mayRise: boolean;
  readonly nowMs: number;
}

export class Standing {
  readonly mayRise: boolean;
  /** Since when its deliveries are too late for this pool; nothing where they are not. */
  slowSinceMs: number | undefined = undefined;
  #stayedMs: number;
  #sinceMs: number;
  #moves: number;
  #kept: boolean;
  // The run of good health: what was proven of it, and what it began with.
  #provenMs = 0;
  #smallestLagMs = Number.POSITIVE_INFINITY;
  #writtenBefore = 0;
  #lastPongMs: number;

  constructor({ history, mayRise, nowMs }: StandingOptions) {
    this.mayRise = mayRise;
    this.#stayedMs = history?.stayedMs ?? 0;
    this.#moves = history?.moves ?? 0;
    this.#kept = history?.kept ?? false;
    this.#sinceMs = nowMs;
    this.#lastPongMs = nowMs;
  }

  /** Time in its pool, on whichever shards, since it was last asked to move for its network's sake. */
  stayMs(nowMs: number): number {
    return this.#stayedMs + nowMs - this.#sinceMs;
  }

  /** Moves for its network's sake; those before a stay of `calmMs` are forgotten. */
  moves(nowMs: number, calmMs: number): number {
    return this.stayMs(nowMs) >= calmMs ? 0 : this.#moves;
  }

  /** Whether the last move led nowhere. */
  get kept(): boolean {
    return this.#kept;
  }

  /** It is asked to move. As long as it stays nonetheless, the move counts as one that led nowhere. */
  asked(nowMs: number, calmMs: number): void {
    this.#moves = this.moves(nowMs, calmMs) + 1;
    this.#stayedMs = 0;
    this.#sinceMs = nowMs;
    this.#kept = true;
  }

  /** What the next shard must know, for the hint of any move. */
  history(nowMs: number): MoveHistory {
    return { stayedMs: this.stayMs(nowMs), moves: this.#moves, kept: this.#kept };
  }

  /** A pong proves that all has been well since the last one. */
  well(lagMs: number, nowMs: number): void {
    this.#provenMs += Math.min(nowMs - this.#lastPongMs, PROVES_MS);
    this.#lastPongMs = nowMs;
    if (lagMs < this.#smallestLagMs) this.#smallestLagMs = lagMs;
  }

  /** Health begins anew. */
  unwell(writtenBytes: number, nowMs: number): void {
    this.#provenMs = 0;
    this.#smallestLagMs = Number.POSITIVE_INFINITY;
    this.#writtenBefore = writtenBytes;
    this.#lastPongMs = nowMs;
  }

  /** The last pong: nothing that began after it has been proven to be well. */
  get lastPongMs(): number {
    return this.#lastPongMs;
  }

  /** Time in good health. */
  get provenMs(): number {
    return this.#provenMs;
  }

  /** Smallest lag of that time. */
  get smallestLagMs(): number {
    return this.#smallestLagMs;
  }

  /** Bytes since it began. */
  bytesIn(writtenBytes: number): number {
    return writtenBytes - this.#writtenBefore;
  }
}
