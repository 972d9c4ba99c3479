// When the messages of a stream were stored, as far as a shard needs it to judge whether a position of another shard
// speaks of this very stream. Of loaded messages the shard remembers each place. It has seen every change of the stream
// since the load, so the first later message is enough.
import { Numbers } from './numbers.ts';

/** Two times of one message may differ by this: a fill has nanoseconds in a number, which is too coarse for the last digits. */
export const ROUNDING_MS = 1;

export class Places {
  /** Places of the loaded messages, in rising order: 16 bytes a message, and the state stream has one a key. */
  readonly #seqs = new Numbers();
  readonly #times = new Numbers();
  #loadedSeq = Number.POSITIVE_INFINITY;
  /** The first one after the load. */
  #nextMs: number | undefined;
  #newestMs = 0;

  /** When the newest message was stored, in milliseconds of the server; 0 if there was none. */
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
    this.#seqs.push(seq);
    this.#times.push(storedMs);
  }

  /** Everything up to `seq` has been loaded. */
  loaded(seq: number): void {
    this.#loadedSeq = seq;
    this.#seqs.trim();
    this.#times.trim();
  }

  /**
   * Whether the message that a client had last, stored at this time, is the one at this place. A
   * loaded message must be remembered. Later messages were read as they came: a stream that had gone back before the load
   * has stored them all after the messages that it lost.
   */
  holds(seq: number, storedMs: number): boolean {
    if (seq === 0) return true;
    if (seq > this.#loadedSeq) return storedMs + ROUNDING_MS >= (this.#nextMs ?? this.#newestMs);
    const at = this.#seqs.indexOf(seq);
    return at >= 0 && Math.abs(this.#times.at(at) - storedMs) <= ROUNDING_MS;
  }
}
