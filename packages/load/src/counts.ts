// The counts of all clients of a run. Plain numbers: clients add to them, the report reads them.
import { Histogram } from './histogram.ts';

const MAX_REASONS = 20;

export class Counts {
  /** Streams that are open now and have their welcome. */
  connected = 0;
  /** `connected` by pool. */
  readonly pools: Map<string, number> = new Map<string, number>();
  /** Clients that have had a welcome at least once. */
  arrived = 0;
  /** Visits to the router, or to a shard, that ended without a redirect or a welcome. */
  failed = 0;
  /** `failed` by reason: an HTTP refusal, a network error, a close code. At most `MAX_REASONS`. */
  readonly failures: Map<string, number> = new Map<string, number>();
  /** From the start of a visit to the redirect. */
  readonly redirectMs: Histogram = new Histogram();
  /** From the publish of a stamped message to its arrival, except in snapshots. */
  readonly ageMs: Histogram = new Histogram();
  /** The ages since `takeRecentAges`. */
  #recentAgeMs = new Histogram();
  frames = 0;
  /** Frames with news: state, critical or cosmetic messages; no snapshots. */
  updates = 0;
  bytes = 0;
  critical = 0;
  /** Announced gaps. */
  gaps = 0;
  /** Stamped critical messages that a client missed without a gap. */
  lost = 0;
  /** Stamped critical messages that a client got twice under different ids. */
  doubled = 0;
  moves = 0;
  /** Closed streams by code, except those that this run closed itself. */
  readonly closes: Map<number, number> = new Map<number, number>();
  published = 0;
  publishFailed = 0;
  /** Not published, since the publisher's answers were too slow for the rate. */
  publishMissed = 0;
  /** Last error of the publisher, or of the connection to it. */
  publishProblem: string | undefined;

  readonly #nowMs: () => number;
  /** Time that streams were open, up to `#sinceMs`. */
  #clientMs = 0;
  #sinceMs = 0;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Time that streams were open, summed over the clients. */
  get clientSeconds(): number {
    this.#addTime();
    return this.#clientMs / 1_000;
  }

  addAge(ms: number): void {
    this.ageMs.add(ms);
    this.#recentAgeMs.add(ms);
  }

  /** The ages since the last call. */
  takeRecentAges(): Histogram {
    const recent = this.#recentAgeMs;
    this.#recentAgeMs = new Histogram();
    return recent;
  }

  enter(pool: string): void {
    this.#addTime();
    this.connected++;
    this.pools.set(pool, (this.pools.get(pool) ?? 0) + 1);
  }

  leave(pool: string): void {
    this.#addTime();
    this.connected--;
    this.pools.set(pool, (this.pools.get(pool) ?? 0) - 1);
  }

  fail(reason: string): void {
    this.failed++;
    const known = this.failures.has(reason) || this.failures.size < MAX_REASONS ? reason : 'other';
    this.failures.set(known, (this.failures.get(known) ?? 0) + 1);
  }

  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }

  #addTime(): void {
    const nowMs = this.#nowMs();
    this.#clientMs += this.connected * (nowMs - this.#sinceMs);
    this.#sinceMs = nowMs;
  }
}
