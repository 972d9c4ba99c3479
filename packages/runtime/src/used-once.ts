// What is good once: tickets at a shard, the hints of moves at a router. Remembers what was used until it has expired.
// Bounded; knows no clock.

const SWEEP_MS = 1_000;

export class UsedOnce {
  readonly #expiry = new Map<string, number>();
  readonly #max: number;
  #nextSweepMs = 0;

  /** `max` is how many can be remembered at a time. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#expiry.size;
  }

  /** Marks one as used. `full` where too many are remembered: nothing is let in that could not be checked later. */
  use(id: string, nowMs: number, expiresInMs: number): 'first' | 'again' | 'full' {
    for (const [old, expiresMs] of this.#expiry) {
      if (expiresMs > nowMs) break;
      this.#expiry.delete(old);
    }
    if (this.#expiry.has(id)) return 'again';
    if (this.#expiry.size >= this.#max) this.#sweep(nowMs);
    if (this.#expiry.size >= this.#max) return 'full';
    this.#expiry.set(id, nowMs + expiresInMs);
    return 'first';
  }

  /** A ticket that lives longer than those after it keeps them: all are looked at, but at most once a second. */
  #sweep(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + SWEEP_MS;
    for (const [id, expiresMs] of this.#expiry) if (expiresMs <= nowMs) this.#expiry.delete(id);
  }
}
