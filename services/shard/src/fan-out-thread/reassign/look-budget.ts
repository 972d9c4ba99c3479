// Limits the bytes of padding per second of all clients of a thread. Without budget a look waits.

export class LookBudget {
  readonly #bytesPerSecond: number;
  #available: number;
  #atMs: number;

  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#available = bytesPerSecond;
    this.#atMs = nowMs;
  }

  /** False if so many bytes would be too many now. A train that is larger than the budget of a second waits for more. */
  take(bytes: number, nowMs: number): boolean {
    const most = Math.max(this.#bytesPerSecond, bytes);
    const earned = ((nowMs - this.#atMs) / 1_000) * this.#bytesPerSecond;
    this.#available = Math.min(most, this.#available + earned);
    this.#atMs = nowMs;
    if (bytes > this.#available) return false;
    this.#available -= bytes;
    return true;
  }
}
