// Whether a shard is cut off from its clients, which is not their fault: when most of them prove nothing any more, at the
// same time, it is the network on this side. Numbers only; it closes nobody.

/** So many at least: among few, each may have a reason of its own, and the router measures few at once in no time. */
const AT_LEAST = 20;
/** The part of all connections that makes it the shard's. A tenth of them may well be stuck by themselves. */
const SHARE = 0.5;
/** So long the blame lasts, so that the last few who are let go count as the first. */
const LASTS_MS = 10_000;

export class CutOff {
  #silent = 0;
  #untilMs: number = Number.NEGATIVE_INFINITY;

  /** A look at all connections begins. */
  begin(): void {
    this.#silent = 0;
  }

  /** One has proven nothing for half of the time that it has. */
  silent(): void {
    this.#silent++;
  }

  /** The look ends; there were so many connections. */
  end(connections: number, nowMs: number): void {
    if (this.#silent >= Math.max(AT_LEAST, connections * SHARE)) this.#untilMs = nowMs + LASTS_MS;
  }

  /** Whether the shard is cut off, or was a moment ago. */
  is(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }
}
