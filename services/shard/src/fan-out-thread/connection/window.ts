// How many bytes of snapshots and catch-up may be under way to one client: what its pongs proved, never a guess. It
// grows while pongs prove more, and shrinks when bytes wait on the way. Numbers only; it writes nothing.
//
//   window = gain × proven rate × (smallest round trip + SLACK_MS), between one piece and `windowBytes`
//
// A link that is not full delivers a window a round trip, so the window grows by the gain each round trip. A full link
// delivers no more than its rate, so the window stays, and about one round trip's worth of bytes waits on the way.
import type { DeliveryClock } from './delivery-clock.ts';

export interface WindowLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly windowBytes: number;
}

/** Growth per round trip until the link was once full, and after that. Below 2, a noisy rate would not recover. */
const FIRST_GAIN = 3;
const GAIN = 2;
/** Longest time that a piece takes inside a shard that is not overloaded. It counts like a longer link. */
const SLACK_MS = 20;
/** Longest round trip that counts as distance (a satellite has 600 to 800 ms). More than that is queueing. */
const MOST_RTT_MS = 1_200;
/** A full window that proved less shrinks to what it proved, but by no more than this per pong: one pong may be late. */
const SHRINK = 0.75;
/**
 * The round trip is measured anew when it is this old and hardly anything is under way, and a rate that old is forgotten.
 * The window empties by itself: if the link has become longer, the window shrinks until it does.
 */
const OLD_MS = 10_000;
/** A piece is at most this part of the window, so that pongs prove the window step by step. */
const PIECES = 4;
/** A link is short if its window is less than this part of a piece. Such a link rests for at most a quarter of the time. */
const SHORT = 0.5;
/** A larger piece would hold the main thread for more than a millisecond or two. */
const MOST_PIECE_BYTES = 262_144;

export class Window {
  #bytesPerMs = 0;
  /** Smallest round trip of a ping that waited behind nothing; 0 before the first. */
  #rttMs = 0;
  #rttAtMs: number = Number.NEGATIVE_INFINITY;
  #provenAtMs: number = Number.NEGATIVE_INFINITY;
  #gain = FIRST_GAIN;

  /** Rate that pongs proved, in bytes a millisecond; 0 before the first. A link may carry more. */
  get bytesPerMs(): number {
    return this.#bytesPerMs;
  }

  /** Bytes that may be under way. */
  bytes(limits: WindowLimits): number {
    return Math.max(limits.softBytes / 2, Math.min(this.#provenBytes, limits.windowBytes));
  }

  /**
   * Size of the next piece. One piece at a time keeps a short link busy, and what it carries is as new as it can be; a
   * longer one needs several. Powers of two of one size, so that clients at the same cursor share pieces.
   */
  pieceBytes(limits: WindowLimits): number {
    const alone = limits.softBytes / 2;
    if (this.#provenBytes < alone * SHORT) return alone;
    const most = Math.min(this.bytes(limits) / PIECES, limits.hardBytes, MOST_PIECE_BYTES);
    let bytes = alone / PIECES;
    while (2 * bytes <= most) bytes *= 2;
    return bytes;
  }

  /** Whether the oldest unanswered ping has waited so long that the proven rate no longer holds. */
  isOverdue(waitingMs: number): boolean {
    return this.#rttMs > 0 && waitingMs > 2 * (GAIN + 1) * this.#pathMs + 100;
  }

  /** Another catch-up begins. A rate that was proven long ago is forgotten. */
  begin(nowMs: number): void {
    if (nowMs - this.#provenAtMs < OLD_MS) return;
    this.#bytesPerMs = 0;
    this.#gain = FIRST_GAIN;
  }

  /** Whether the next piece should carry a ping in front, which waits behind nothing. */
  measures(nowMs: number): boolean {
    return nowMs - this.#rttAtMs >= OLD_MS;
  }

  /** That ping was sent. */
  measured(nowMs: number): void {
    this.#rttAtMs = nowMs;
  }

  /** A pong came; `clock` has what it proved. */
  ponged(clock: DeliveryClock, nowMs: number): void {
    const { lagMs, provenBytes, provenMs } = clock;
    // A client library may have dropped the pong of the first ping; the next pong is the best estimate.
    const smaller = this.#rttMs > 0 ? lagMs < this.#rttMs : this.#rttAtMs > 0;
    if (clock.provenAhead || smaller) this.#rttMs = Math.max(1, lagMs);
    if (provenMs <= 0 || this.#rttMs === 0) return;
    const bytesPerMs = provenBytes / provenMs;
    if (clock.provenFull) {
      this.#provenAtMs = nowMs;
      if (lagMs > 1.5 * this.#rttMs + SLACK_MS) this.#gain = GAIN;
    }
    const least = clock.provenFull ? SHRINK * this.#bytesPerMs : this.#bytesPerMs;
    this.#bytesPerMs = Math.max(bytesPerMs, least);
  }

  get #provenBytes(): number {
    return this.#gain * this.#bytesPerMs * this.#pathMs;
  }

  get #pathMs(): number {
    return Math.min(this.#rttMs, MOST_RTT_MS) + SLACK_MS;
  }
}
