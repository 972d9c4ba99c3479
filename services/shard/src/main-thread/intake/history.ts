// Remembers what was read of a stream, as far as that is needed to recognise the stream again: the last messages exactly,
// and the newest time of all earlier ones. It costs a message four writes into arrays.
import { ROUNDING_MS } from '../lanes/places.ts';

/** What tells a message from another one at the same sequence. */
export interface Identity {
  readonly seq: number;
  readonly subject: string;
  readonly timeMs: number;
  /** Bytes of its payload. */
  readonly size: number;
}

const PLACES = 1_024;

export class History {
  readonly #seqs = new Float64Array(PLACES);
  readonly #times = new Float64Array(PLACES);
  readonly #sizes = new Float64Array(PLACES);
  readonly #subjects: string[] = new Array<string>(PLACES).fill('');
  #next = 0;
  #newestMs = Number.NEGATIVE_INFINITY;

  note(seq: number, timeMs: number, { subject, data }: { subject: string; data: Uint8Array }): void {
    const at = this.#next;
    this.#seqs[at] = seq;
    this.#times[at] = timeMs;
    this.#sizes[at] = data.length;
    this.#subjects[at] = subject;
    this.#next = (at + 1) % PLACES;
    if (timeMs > this.#newestMs) this.#newestMs = timeMs;
  }

  /** Another stream begins. */
  clear(): void {
    this.#seqs.fill(0);
    this.#subjects.fill('');
    this.#next = 0;
    this.#newestMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Whether a message of the stream is the one that was read at its sequence. If the sequence is no longer remembered, its
   * time tells: a stream that went back stores its next messages later than all that were read.
   */
  has({ seq, subject, timeMs, size }: Identity): boolean {
    const at = this.#seqs.indexOf(seq);
    if (at < 0) return timeMs <= this.#newestMs + ROUNDING_MS;
    const apartMs = Math.abs((this.#times[at] ?? 0) - timeMs);
    return apartMs <= ROUNDING_MS && this.#subjects[at] === subject && this.#sizes[at] === size;
  }
}
