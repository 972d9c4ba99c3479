// Counts of milliseconds: percentiles without samples in memory. Of values above a minute only the largest is known.

const LONGEST_MS = 60_000;

export class Histogram {
  readonly #counts = new Uint32Array(LONGEST_MS + 1);
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  add(ms: number): void {
    const whole = Math.max(0, Math.round(ms));
    const at = Math.min(LONGEST_MS, whole);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count++;
    if (whole > this.#max) this.#max = whole;
  }

  /**
   * The smallest value that is not exceeded by `share` (0 to 1) of all values; 0 if there are none. Above a minute it is
   * the largest value.
   */
  percentile(share: number): number {
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (let ms = 0; ms < LONGEST_MS && ms <= this.#max; ms++) {
      seen += this.#counts[ms] ?? 0;
      if (seen >= wanted) return ms;
    }
    return this.#max;
  }
}
