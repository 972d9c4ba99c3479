// Whether a shard is cut off from its clients. If most clients stop proving delivery at the same time, the network of the
// shard has failed, not theirs. Numbers only; it closes no connection.

/** Minimum number of silent clients. With fewer, each may have its own problem, and the router re-measures few quickly. */
const AT_LEAST = 20;
/** Share of silent connections that blames the shard. A tenth may well be stuck for reasons of their own. */
const SHARE = 0.5;
/** How long the verdict holds, so that late evictions get the same cause as the first. */
const LASTS_MS = 10_000;

export class CutOff {
  #silent = 0;
  #untilMs: number = Number.NEGATIVE_INFINITY;

  /** Begins a look at all connections. */
  begin(): void {
    this.#silent = 0;
  }

  /** Counts a connection that has proven nothing for half of `lagMs`. */
  silent(): void {
    this.#silent++;
  }

  /** Ends the look. `connections` is the number of all connections. */
  end(connections: number, nowMs: number): void {
    if (this.#silent >= Math.max(AT_LEAST, connections * SHARE)) this.#untilMs = nowMs + LASTS_MS;
  }

  /** Whether the shard is cut off, or was within the last ten seconds. */
  is(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }
}
