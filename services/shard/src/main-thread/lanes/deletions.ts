// The deletions that a state lane remembers, of all channels, oldest first: the lane finds the next one to forget
// without a walk over channels or keys.
import type { StateLog } from './state-log.ts';

/** A remembered deletion in its place. */
export interface Deletion {
  readonly log: StateLog;
  readonly key: string;
  readonly seq: number;
  readonly timeMs: number;
  older: Deletion | undefined;
  newer: Deletion | undefined;
}

export class Deletions {
  #oldest: Deletion | undefined;
  #newest: Deletion | undefined;
  #count = 0;
  #bytes = 0;

  get oldest(): Deletion | undefined {
    return this.#oldest;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of their keys. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a deletion that is newer than all others. */
  add(at: Pick<Deletion, 'log' | 'key' | 'seq' | 'timeMs'>): Deletion {
    const deletion: Deletion = { ...at, older: this.#newest, newer: undefined };
    if (this.#newest === undefined) this.#oldest = deletion;
    else this.#newest.newer = deletion;
    this.#newest = deletion;
    this.#count++;
    this.#bytes += at.key.length;
    return deletion;
  }

  remove(deletion: Deletion): void {
    const { older, newer } = deletion;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#count--;
    this.#bytes -= deletion.key.length;
  }
}
