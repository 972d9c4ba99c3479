// What all clients of a run have seen together. Plain numbers: clients add to them, the report reads them.
import { Histogram } from './histogram.ts';

const MAX_REASONS = 20;

export class Counts {
  /** Streams that are open and welcome now. */
  connected = 0;
  /** Of these, by pool. */
  readonly pools: Map<string, number> = new Map<string, number>();
  /** Clients that were welcome at least once. */
  arrived = 0;
  /** Visits to the router, or to a shard, that ended without a redirect or a welcome. */
  failed = 0;
  /** Of these, by what was said: a refusal of HTTP, an error of the network, a close code. At most `MAX_REASONS`. */
  readonly failures: Map<string, number> = new Map<string, number>();
  /** From the start of a visit to the redirect. */
  readonly redirectMs: Histogram = new Histogram();
  /** From the publish of a stamped message to its arrival; not of snapshots. */
  readonly ageMs: Histogram = new Histogram();
  frames = 0;
  /** Of the frames those with news: state, critical or cosmetic messages; no snapshots. */
  updates = 0;
  bytes = 0;
  critical = 0;
  /** Gaps that were announced. */
  gaps = 0;
  /** Stamped critical messages that a client missed without an announcement. */
  lost = 0;
  /** Stamped critical messages that a client got twice under new ids. */
  doubled = 0;
  moves = 0;
  /** Streams that were closed, by code; not those that this run ended itself. */
  readonly closes: Map<number, number> = new Map<number, number>();
  published = 0;
  publishFailed = 0;
  /** What the publisher, or the way to it, said last. */
  publishProblem: string | undefined;

  enter(pool: string): void {
    this.connected++;
    this.pools.set(pool, (this.pools.get(pool) ?? 0) + 1);
  }

  leave(pool: string): void {
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
}
