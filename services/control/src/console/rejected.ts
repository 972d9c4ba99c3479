// Which subjects have messages that cannot be broadcast, from the copies on `weir.rejected`. Bounded: so many copies a
// step are heard, and so many subjects kept; how many there were in all, the counters of the shards say.
export interface RejectedSubject {
  readonly subject: string;
  readonly reason: string;
  /** Messages that were heard of; there may have been more. */
  readonly atLeast: number;
  readonly lastMs: number;
}

const maxSubjects = 100;
const maxChars = 200;
const reasonPattern = /^[A-Za-z]{1,32}$/;

export class RejectedSubjects {
  readonly #known = new Map<string, RejectedSubject>();

  /** Every shard sends a copy of the same message. */
  hear(copy: {
    readonly subject: string;
    readonly reason: string;
    readonly shards: number;
    readonly wallMs: number;
  }): void {
    const reason = reasonPattern.test(copy.reason) ? copy.reason : 'other';
    const subject = printable(copy.subject).slice(0, maxChars);
    const key = `${reason} ${subject}`;
    const before = this.#known.get(key);
    this.#known.delete(key);
    if (this.#known.size >= maxSubjects) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    const atLeast = (before?.atLeast ?? 0) + 1 / Math.max(1, copy.shards);
    this.#known.set(key, { subject, reason, atLeast, lastMs: copy.wallMs });
  }

  /** Newest first. */
  list(most: number): readonly RejectedSubject[] {
    const newest = [...this.#known.values()].reverse().slice(0, most);
    return newest.map((one) => ({ ...one, atLeast: Math.max(1, Math.round(one.atLeast)) }));
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '.');
}
