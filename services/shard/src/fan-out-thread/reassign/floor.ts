// The smallest of the newest values: of a window of time and the one before it. What is older is forgotten, because
// networks change. Numbers only.

export class Floor {
  readonly #windowMs: number;
  #sinceMs: number;
  #newest = Number.POSITIVE_INFINITY;
  #before = Number.POSITIVE_INFINITY;
  #count = 0;
  #isFull = false;

  constructor(windowMs: number, nowMs: number) {
    this.#windowMs = windowMs;
    this.#sinceMs = nowMs;
  }

  note(value: number, nowMs: number): void {
    if (nowMs - this.#sinceMs >= this.#windowMs) {
      this.#before = this.#newest;
      this.#newest = Number.POSITIVE_INFINITY;
      this.#count = 0;
      this.#sinceMs = nowMs;
      this.#isFull = true;
    }
    this.#newest = Math.min(this.#newest, value);
    this.#count++;
  }

  /** How many values the present window has. */
  get count(): number {
    return this.#count;
  }

  /** The smallest of the present window; infinity before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** The smallest of both windows. */
  get value(): number {
    return Math.min(this.#newest, this.#before);
  }

  /** Whether a whole window has passed. */
  get isFull(): boolean {
    return this.#isFull;
  }
}
