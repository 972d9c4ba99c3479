// The oracle of critical messages of one client and channel: each message arrives once and in order, or a gap tells the
// client that it is lost. Messages carry a number that rises with each publish.

export class OnceInOrder {
  readonly faults: string[] = [];
  readonly #name: string;
  readonly #got = new Set<number>();
  /** Numbers between `after` and `before` were declared lost. */
  readonly #gaps: { readonly after: number; before: number }[] = [];
  #last = -1;
  #from = Number.POSITIVE_INFINITY;

  constructor(name: string) {
    this.#name = name;
  }

  /** The subscription is complete: the client must get every message after this number. */
  began(published: number): void {
    this.#from = Math.min(this.#from, published);
  }

  got(number: number): void {
    if (this.#got.has(number)) this.faults.push(`${this.#name}: ${number} came twice`);
    else if (number < this.#last) this.faults.push(`${this.#name}: ${number} came after ${this.#last}`);
    this.#got.add(number);
    this.#last = Math.max(this.#last, number);
    const gap = this.#gaps.at(-1);
    if (gap?.before === Number.POSITIVE_INFINITY) gap.before = number;
  }

  gap(): void {
    this.#gaps.push({ after: this.#last, before: Number.POSITIVE_INFINITY });
  }

  /** The kept numbers that this client should have got, and that no gap declared lost. */
  missing(kept: readonly number[]): readonly number[] {
    return kept.filter(
      (number) =>
        number > this.#from &&
        !this.#got.has(number) &&
        !this.#gaps.some(({ after, before }) => number > after && number < before),
    );
  }
}
