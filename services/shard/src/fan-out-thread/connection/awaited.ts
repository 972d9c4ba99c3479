// What is awaited of one client: bytes that were sent more than a usual round trip ago and are not proved to have
// arrived. Unlike the backlog it does not grow with distance: a far client has more under way and is well all the same.
// It looks a few times a second, and costs the path of a message nothing.
import type { DeliveryClock } from './delivery-clock.ts';

/** Jitter, and the time between two looks. */
const SLACK_MS = 100;
/** Before the first pong: no client that is served is farther away. */
const UNKNOWN_ROUND_TRIP_MS = 1_000;

export class Awaited {
  /** The shortest round trip that was seen: of a connection, whose way does not change. */
  #roundTripMs = Number.POSITIVE_INFINITY;
  // Two marks of what had been written: the newer becomes the older when it is a usual round trip old.
  #newerBytes = 0;
  #newerMs = Number.NEGATIVE_INFINITY;
  #olderBytes = 0;

  /** What is awaited now. Most of a round trip and at most two pass before bytes count. */
  bytes(clock: DeliveryClock, nowMs: number): number {
    const { lagMs, written, backlog, waitingSinceMs } = clock;
    if (lagMs > 0 && lagMs < this.#roundTripMs) this.#roundTripMs = lagMs;
    const roundTripMs = Math.min(this.#roundTripMs, UNKNOWN_ROUND_TRIP_MS);
    const usualMs = 2 * roundTripMs + SLACK_MS;
    if (nowMs - this.#newerMs >= usualMs) {
      this.#olderBytes = this.#newerBytes;
      this.#newerBytes = written;
      this.#newerMs = nowMs;
    }
    // What no ping has followed yet was not asked for.
    if (waitingSinceMs === undefined || nowMs - waitingSinceMs <= usualMs) return 0;
    const arrived = written - backlog;
    return Math.max(0, this.#olderBytes - arrived);
  }
}
