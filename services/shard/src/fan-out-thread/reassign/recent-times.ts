// The last times at which something happened, in a ring of fixed size: "more than n within w" is one look.

/** Reading the n-th last time is one look at an array; noting a time overwrites the oldest. */
export class RecentTimes {
  readonly #times: Float64Array;
  #next = 0;

  /** Remembers the last `size` times. */
  constructor(size: number) {
    this.#times = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  }

  note(nowMs: number): void {
    this.#times[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#times.length;
  }

  /** The n-th last time, from 1 for the newest to `size`, beyond which it is the oldest; minus infinity if there is none. */
  last(n: number): number {
    const { length } = this.#times;
    const back = Math.min(Math.max(n, 1), length);
    return this.#times[(this.#next - back + length) % length] ?? Number.NEGATIVE_INFINITY;
  }
}
