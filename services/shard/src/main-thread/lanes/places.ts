// When the messages of a stream were stored, as far as a shard must know it to say whether a position of another shard
// speaks of this very stream. What it loaded it remembers place by place; of what came later it has lived through every
// change of the stream, so that the first one is enough.

/** Times of one message may differ by the rounding of a fill. */
const ROUNDING_MS = 1;
const FIRST_PLACES = 1_024;

export class Places {
  /** Of what was loaded, in rising order: 16 bytes a message, and the state stream has one a key. */
  #seqs = new Float64Array(FIRST_PLACES);
  #times = new Float64Array(FIRST_PLACES);
  #count = 0;
  #loadedSeq = Number.POSITIVE_INFINITY;
  /** The first one after the load. */
  #nextMs: number | undefined;
  #newestMs = 0;

  /** When the newest message was stored, in milliseconds of the server; 0 where there was none. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** A message stands at this place. */
  note(seq: number, storedMs: number): void {
    this.#newestMs = Math.max(this.#newestMs, storedMs);
    if (this.#loadedSeq !== Number.POSITIVE_INFINITY) {
      this.#nextMs ??= storedMs;
      return;
    }
    if (this.#count === this.#seqs.length) this.#grow();
    this.#seqs[this.#count] = seq;
    this.#times[this.#count] = storedMs;
    this.#count++;
  }

  /** Everything up to `seq` has been loaded. */
  loaded(seq: number): void {
    this.#loadedSeq = seq;
    this.#seqs = this.#seqs.slice(0, this.#count);
    this.#times = this.#times.slice(0, this.#count);
  }

  /**
   * Whether the message that somebody had last, stored then, is the one at this place. Up to where the shard has loaded
   * it must still have been there. Later ones were taken in as they came: a stream that had gone back before the load
   * has stored them all after what it lost.
   */
  holds(seq: number, storedMs: number): boolean {
    if (seq === 0) return true;
    if (seq > this.#loadedSeq) return storedMs + ROUNDING_MS >= (this.#nextMs ?? this.#newestMs);
    const at = this.#find(seq);
    return at !== undefined && Math.abs(at - storedMs) <= ROUNDING_MS;
  }

  /** When the message at a place was stored; nothing where there was none when the stream was loaded. */
  #find(seq: number): number | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#seqs[middle] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return this.#seqs[low] === seq ? this.#times[low] : undefined;
  }

  #grow(): void {
    const seqs = new Float64Array(2 * this.#seqs.length);
    const times = new Float64Array(seqs.length);
    seqs.set(this.#seqs);
    times.set(this.#times);
    this.#seqs = seqs;
    this.#times = times;
  }
}
