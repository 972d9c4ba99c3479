// The cosmetic lane: the messages since the last tick, bounded. A message that does not fit is dropped and counted.

/** How much one tick may carry. */
export interface CosmeticLimits {
  readonly maxPerTick: number;
  readonly maxBytesPerTick: number;
}

/** One channel's cosmetic messages of a tick, as latin1 JSON texts. */
export interface CosmeticBatch {
  readonly channel: string;
  readonly values: readonly string[];
}

export class CosmeticLane {
  readonly #limits: CosmeticLimits;
  #waiting = new Map<string, string[]>();
  #count = 0;
  #bytes = 0;

  constructor(limits: CosmeticLimits) {
    this.#limits = limits;
  }

  /** Takes a message; returns false if this tick is full. */
  add(channel: string, value: string): boolean {
    const fits =
      this.#count < this.#limits.maxPerTick && this.#bytes + value.length <= this.#limits.maxBytesPerTick;
    if (!fits) return false;
    const values = this.#waiting.get(channel);
    if (values === undefined) this.#waiting.set(channel, [value]);
    else values.push(value);
    this.#count++;
    this.#bytes += value.length;
    return true;
  }

  /** Everything since the last call. */
  take(): readonly CosmeticBatch[] {
    const batches = [...this.#waiting].map(([channel, values]) => ({ channel, values }));
    this.#waiting = new Map();
    this.#count = 0;
    this.#bytes = 0;
    return batches;
  }
}
