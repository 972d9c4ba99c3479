// Ids that are valid once: tickets at a shard, hints of moves at a router. It remembers a used id until the id expires.
// Its size is bounded; the caller passes the time.

const SWEEP_MS = 1_000;

export class UsedOnce {
  readonly #expiry = new Map<string, number>();
  readonly #max: number;
  #nextSweepMs = 0;

  /** `max` bounds the ids that are remembered at a time. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#expiry.size;
  }

  /** Marks an id as used. `full` if too many are remembered: then the caller must not accept it. */
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

  /** Ids do not expire in order, so this checks all of them, at most once a second. */
  #sweep(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + SWEEP_MS;
    for (const [id, expiresMs] of this.#expiry) if (expiresMs <= nowMs) this.#expiry.delete(id);
  }
}
