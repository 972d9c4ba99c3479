// The main thread's part of claims: threads that wait to learn how far the streams go. While NATS is away, the main thread
// does not know.
import type { Heads, ToThread } from '../../port/messages.ts';

interface Asker {
  readonly index: number;
  post(message: ToThread): void;
}

export class Doubts {
  readonly #heads: () => Heads | undefined;
  /** By the index of the thread: one that takes the place of another has other clients. */
  readonly #waiting = new Map<number, Asker>();

  /** `heads`: how far the streams go; undefined while that is not known. */
  constructor(heads: () => Heads | undefined) {
    this.#heads = heads;
  }

  ask(thread: Asker): void {
    this.#waiting.set(thread.index, thread);
    this.answer();
  }

  /** It may be known now. */
  answer(): void {
    if (this.#waiting.size === 0) return;
    const heads = this.#heads();
    if (heads === undefined) return;
    for (const thread of this.#waiting.values()) thread.post({ type: 'judge', heads });
    this.#waiting.clear();
  }
}
