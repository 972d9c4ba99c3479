// Bounds the messages in flight: a caller that finds it full waits in line for a limited time.

interface Waiter {
  readonly enter: (entered: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/** `max` slots, first come, first served. */
export class Slots {
  readonly #max: number;
  readonly #waitMs: number;
  readonly #waiting: Set<Waiter> = new Set();
  #taken = 0;

  constructor({ max, waitMs }: { readonly max: number; readonly waitMs: number }) {
    this.#max = max;
    this.#waitMs = waitMs;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Resolves to whether the caller got a slot; `false` if none became free in time. A caller with a slot must `leave`.
   */
  enter(): Promise<boolean> {
    if (this.#taken < this.#max && this.#waiting.size === 0) {
      this.#taken += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const waiter: Waiter = {
        enter: resolve,
        timer: setTimeout(() => {
          this.#waiting.delete(waiter);
          resolve(false);
        }, this.#waitMs),
      };
      this.#waiting.add(waiter);
    });
  }

  /** Returns a slot, which the longest waiting caller gets. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    clearTimeout(next.timer);
    next.enter(true);
  }
}
