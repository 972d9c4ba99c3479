// What has really reached the client: backlog from ping counters (design section 7). Numbers only, no I/O.
// A ping that travels behind a frame and comes back as a pong proves that everything before it has arrived.

/** When pings are due. */
export interface PingLimits {
  /** Shortest time between two pings while data flows, and the longest that data stays unproven. */
  readonly pingMs: number;
  /** Bytes after which a ping is due at once. */
  readonly pingBytes: number;
  /** Time between two pings of a quiet connection. */
  readonly idlePingMs: number;
}

/** An unanswered ping is repeated after this or four round trips, whichever is longer. */
const REPEAT_MS = 1000;

export class DeliveryClock {
  /** Bytes written to the connection since it was opened. */
  written = 0;
  #acked = 0;
  #rttMs = 0;
  #lastPingMs: number;
  #writtenAtPing = 0;
  // At most two pings are unanswered: first the older, then the newer. A counter of 0 means none.
  #firstCounter = 0;
  #firstBytes = 0;
  #firstMs = 0;
  #secondCounter = 0;
  #secondBytes = 0;
  #secondMs = 0;

  constructor(nowMs: number) {
    this.#lastPingMs = nowMs;
  }

  /** Bytes written and not yet proven to have arrived. */
  get backlog(): number {
    return this.written - this.#acked;
  }

  /** Delay of the last answered ping: network and client together. 0 before the first. */
  get lagMs(): number {
    return this.#rttMs;
  }

  /** Time since which a ping is unanswered; nothing where all are answered. */
  get waitingSinceMs(): number | undefined {
    return this.#firstCounter === 0 ? undefined : this.#firstMs;
  }

  /** Whether another ping may be sent at all. */
  get canPing(): boolean {
    return this.#secondCounter === 0;
  }

  /** Whether the next write should carry a ping. */
  pingDue(nowMs: number, nextBytes: number, limits: PingLimits): boolean {
    if (!this.canPing) return false;
    const sinceMs = nowMs - this.#lastPingMs;
    if (this.#firstCounter !== 0) return sinceMs >= Math.max(REPEAT_MS, 4 * this.#rttMs);
    const unproven = this.written - this.#writtenAtPing + nextBytes;
    if (unproven === 0) return sinceMs >= limits.idlePingMs;
    return unproven >= limits.pingBytes || sinceMs >= limits.pingMs;
  }

  /** A ping is part of what was just added to `written`. */
  pinged(counter: number, nowMs: number): void {
    if (this.#firstCounter === 0) {
      this.#firstCounter = counter;
      this.#firstBytes = this.written;
      this.#firstMs = nowMs;
    } else {
      this.#secondCounter = counter;
      this.#secondBytes = this.written;
      this.#secondMs = nowMs;
    }
    this.#lastPingMs = nowMs;
    this.#writtenAtPing = this.written;
  }

  /** A pong came. Returns whether it proved anything new; a pong acknowledges all earlier pings. */
  ponged(counter: number, nowMs: number): boolean {
    if (counter !== 0 && counter === this.#secondCounter) {
      this.#acked = this.#secondBytes;
      this.#rttMs = nowMs - this.#secondMs;
      this.#firstCounter = 0;
      this.#secondCounter = 0;
      return true;
    }
    if (counter === 0 || counter !== this.#firstCounter) return false;
    this.#acked = this.#firstBytes;
    this.#rttMs = nowMs - this.#firstMs;
    this.#firstCounter = this.#secondCounter;
    this.#firstBytes = this.#secondBytes;
    this.#firstMs = this.#secondMs;
    this.#secondCounter = 0;
    return true;
  }
}
