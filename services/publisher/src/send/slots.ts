// A bound on what is in flight: whoever finds it full waits in line, not for ever.

interface Waiter {
  readonly enter: (entered: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/** `max` slots, given out first come, first served. */
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

  /** Whether a slot was got; `false` where none was free for so long. Whoever got one must `leave`. */
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

  /** Gives a slot back: to whoever has waited longest. */
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
