// Which bytes have reached the client: the backlog from ping counters (docs/slow-clients.md). Numbers only, no I/O.
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
/** Unanswered pings at most, and while a window is under way, where each proves a part of it. */
const MOST = 2;
const MOST_IN_WINDOW = 16;

/**
 * What a ping proves when it is answered: `full`, the window had no more room behind it; `ahead`, nothing was
 * queued before it, so that its pong tells the round trip alone; `train`, padding was, to measure the rate.
 */
export type PingKind = 'any' | 'full' | 'ahead' | 'train';
const KINDS: readonly PingKind[] = ['any', 'full', 'ahead', 'train'];

// Unanswered pings, the oldest first, as numbers in one list that only grows: most connections never have two.
const COUNTER = 0;
const BYTES = 1;
const SENT_MS = 2;
/** What had been proven when it was sent, and when. */
const ACKED = 3;
const ACKED_MS = 4;
const KIND = 5;
const SIZE = 6;

export class DeliveryClock {
  /** Bytes written to the connection since it was opened. */
  written = 0;
  /** What the last pong proved: this many bytes arrived in this time; and the kinds of the pings that it answered. */
  provenBytes = 0;
  provenMs = 0;
  provenFull = false;
  provenAhead = false;
  provenTrain = false;
  #acked = 0;
  #ackedMs: number;
  #rttMs = 0;
  #lastPingMs: number;
  #lastCounter = 0;
  #writtenAtPing = 0;
  /** Room for two; an empty list would take more when it grows. */
  readonly #pings: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  #unanswered = 0;

  constructor(nowMs: number) {
    this.#lastPingMs = nowMs;
    this.#ackedMs = nowMs;
  }

  /** Bytes written and not yet proven to have arrived. */
  get backlog(): number {
    return this.written - this.#acked;
  }

  /** Bytes written since the last ping. */
  get unpinged(): number {
    return this.written - this.#writtenAtPing;
  }

  /** Counter of the last ping; 0 before the first. */
  get lastCounter(): number {
    return this.#lastCounter;
  }

  /** Delay of the last answered ping: network and client together. 0 before the first. */
  get lagMs(): number {
    return this.#rttMs;
  }

  /** When the oldest unanswered ping was sent; undefined if all are answered. */
  get waitingSinceMs(): number | undefined {
    return this.#unanswered === 0 ? undefined : this.#pings[SENT_MS];
  }

  /** Whether another ping may be sent at all. */
  get canPing(): boolean {
    return this.#unanswered < MOST;
  }

  /** Whether another ping may be sent behind a piece of a window. */
  get canPingInWindow(): boolean {
    return this.#unanswered < MOST_IN_WINDOW;
  }

  /** Whether the next write should carry a ping. */
  pingDue(nowMs: number, nextBytes: number, limits: PingLimits): boolean {
    if (!this.canPing) return false;
    const sinceMs = nowMs - this.#lastPingMs;
    if (this.#unanswered > 0) return sinceMs >= Math.max(REPEAT_MS, 4 * this.#rttMs);
    const unproven = this.unpinged + nextBytes;
    if (unproven === 0) return sinceMs >= limits.idlePingMs;
    return unproven >= limits.pingBytes || sinceMs >= limits.pingMs;
  }

  /** Something is about to be written. If nothing is under way, the rest before it is no time of delivery. */
  begin(nowMs: number): void {
    if (this.backlog === 0) this.#ackedMs = nowMs;
  }

  /** A ping is part of what was just added to `written`. */
  pinged(counter: number, nowMs: number, kind: PingKind = 'any'): void {
    const at = this.#unanswered++ * SIZE;
    this.#pings[at + COUNTER] = counter;
    this.#pings[at + BYTES] = this.written;
    this.#pings[at + SENT_MS] = nowMs;
    this.#pings[at + ACKED] = this.#acked;
    this.#pings[at + ACKED_MS] = this.#ackedMs;
    this.#pings[at + KIND] = KINDS.indexOf(kind);
    this.#lastPingMs = nowMs;
    this.#lastCounter = counter;
    this.#writtenAtPing = this.written;
  }

  /** A pong came. Returns whether it proved anything new; a pong acknowledges all earlier pings. */
  ponged(counter: number, nowMs: number): boolean {
    const at = this.#find(counter);
    if (at < 0) return false;
    const bytes = this.#number(at + BYTES);
    this.#rttMs = nowMs - this.#number(at + SENT_MS);
    this.provenBytes = bytes - this.#number(at + ACKED);
    this.provenMs = nowMs - this.#number(at + ACKED_MS);
    this.provenFull = this.#number(at + KIND) === KINDS.indexOf('full');
    this.provenAhead = this.#number(at + KIND) === KINDS.indexOf('ahead');
    this.provenTrain = this.#number(at + KIND) === KINDS.indexOf('train');
    this.#acked = bytes;
    this.#ackedMs = nowMs;
    this.#drop(at + SIZE);
    return true;
  }

  /** Index of an unanswered ping; -1 if it is answered or unknown. */
  #find(counter: number): number {
    if (counter === 0) return -1;
    for (let at = 0; at < this.#unanswered * SIZE; at += SIZE)
      if (this.#pings[at + COUNTER] === counter) return at;
    return -1;
  }

  #drop(numbers: number): void {
    const end = this.#unanswered * SIZE;
    for (let at = numbers; at < end; at++) this.#pings[at - numbers] = this.#number(at);
    this.#unanswered -= numbers / SIZE;
  }

  #number(at: number): number {
    return this.#pings[at] ?? 0;
  }
}
