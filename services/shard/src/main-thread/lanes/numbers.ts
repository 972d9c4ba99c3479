// Many numbers in one array that grows: 8 bytes each, and nothing for the garbage collector.

const FIRST = 1_024;

export class Numbers {
  #all = new Float64Array(FIRST);
  #length = 0;

  /** The last number; 0 if there is none. */
  get last(): number {
    return this.at(this.#length - 1);
  }

  /** The number at an index; 0 if there is none. */
  at(index: number): number {
    return this.#all[index] ?? 0;
  }

  push(value: number): void {
    if (this.#length === this.#all.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#all);
      this.#all = larger;
    }
    this.#all[this.#length++] = value;
  }

  /** No more numbers come: frees the room that was not needed. */
  trim(): void {
    this.#all = this.#all.slice(0, this.#length);
  }

  /** Index of a number among rising numbers; -1 if it is not there. */
  indexOf(value: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low < this.#length && this.at(low) === value ? low : -1;
  }
}
