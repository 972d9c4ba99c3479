// How one client stands in its pool: its stay, its past moves, and how long its deliveries have been well. A few numbers
// per connection, changed in place at each pong. It judges nothing: reassignment.ts has the limits.
import type { MoveHistory } from '@weir/protocol';

/** Longest time that one pong can prove: a quiet connection is pinged seldom, and silence proves no health. */
const PROVES_MS = 3_000;

/** What is known of a client when it is admitted. */
export interface StandingOptions {
  /** From its ticket; undefined for a new client. */
  readonly history: MoveHistory | undefined;
  /** Whether a faster pool would be welcome: it has not asked for this one (`class=`, Save-Data). */
  readonly mayRise: boolean;
  readonly nowMs: number;
}

export class Standing {
  readonly mayRise: boolean;
  /** Since when its deliveries are too late for this pool; undefined while they are not. */
  slowSinceMs: number | undefined = undefined;
  #stayedMs: number;
  #sinceMs: number;
  #moves: number;
  #kept: boolean;
  // The current run of good health: what pongs proved of it, and what it began with.
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

  /** Time in its pool, on any of its shards, since the client was last asked to move because of its network. */
  stayMs(nowMs: number): number {
    return this.#stayedMs + nowMs - this.#sinceMs;
  }

  /** Moves because of its network; a stay of `calmMs` forgets the moves before it. */
  moves(nowMs: number, calmMs: number): number {
    return this.stayMs(nowMs) >= calmMs ? 0 : this.#moves;
  }

  /** Whether the last move left the client in this pool. */
  get kept(): boolean {
    return this.#kept;
  }

  /** The client is asked to move. While it stays nonetheless, the move counts as one that left it in this pool. */
  asked(nowMs: number, calmMs: number): void {
    this.#moves = this.moves(nowMs, calmMs) + 1;
    this.#stayedMs = 0;
    this.#sinceMs = nowMs;
    this.#kept = true;
  }

  /** What the next shard must know; it goes into the hint of every move. */
  history(nowMs: number): MoveHistory {
    return { stayedMs: this.stayMs(nowMs), moves: this.#moves, kept: this.#kept };
  }

  /** A pong proves that deliveries have been well since the last pong. */
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

  /** When the last pong came. Nothing that began after it is proven to be well. */
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

  /** Bytes written since that time began. */
  bytesIn(writtenBytes: number): number {
    return writtenBytes - this.#writtenBefore;
  }
}
