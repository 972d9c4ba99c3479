// Removes old deletions from the state stream, which keeps each as the last message of its subject. Paced. Removes by
// sequence, which keeps a newer value of the same key. Never removes before a mark says up to where deletions may be
// missing.
import type { CleanupMark } from '@weir/protocol';
import type { StateStream } from './state-stream.ts';

/** Outcome of a round. */
export const CLEANUP_OUTCOMES = ['nothing', 'removed', 'more', 'otherControl', 'failed'] as const;
export type CleanupOutcome = (typeof CLEANUP_OUTCOMES)[number];

export interface CleanUpOptions {
  readonly stream: StateStream;
  /** Age from which a deletion may be removed. */
  readonly afterMs: number;
  /** Maximum deletions per round. */
  readonly maxRemovals: number;
  /** Name of this process in marks. */
  readonly run: string;
  readonly onRemoved: (count: number) => void;
}

/** Messages whose sizes one round reads, per deletion that it may remove. */
const READS_PER_REMOVAL = 10;
const IN_FLIGHT = 32;
/** Maximum time of a removal by another control. */
const BUSY_MS = 30_000;
/** Deletions to remove before the first mark if a stream is too full for the mark. */
const FIRST_ROOM = 8;

export class CleanUp {
  readonly #o: CleanUpOptions;
  /** The clean-up has read up to here, in the stream created at `#createdMs`. */
  #seenSeq = 0;
  #createdMs = 0;
  #removed = 0;
  /** Place of the newest known mark; undefined before the first read. */
  #markSeq: number | undefined;
  #floorSeq = 0;

  constructor(options: CleanUpOptions) {
    this.#o = options;
  }

  /** One round. `more`: the next round need not wait. */
  async round(): Promise<Exclude<CleanupOutcome, 'failed'>> {
    const { stream } = this.#o;
    const facts = await stream.facts();
    if (facts === undefined) return 'nothing';
    if (facts.createdMs !== this.#createdMs || facts.lastSeq < this.#seenSeq) this.#forget(facts.createdMs);
    try {
      return await this.#cleanUp(facts.nowMs);
    } catch (error) {
      // The progress is unknown: the next round reads the mark.
      this.#markSeq = undefined;
      throw error;
    }
  }

  async #cleanUp(nowMs: number): Promise<Exclude<CleanupOutcome, 'failed'>> {
    if (!(await this.#knowMark(nowMs))) return 'otherControl';
    const { old, seenSeq, isMore } = await this.#find(nowMs - this.#o.afterMs);
    if (old.length > 0 && !(await this.#remove(old))) return 'otherControl';
    this.#seenSeq = seenSeq;
    if (isMore) return 'more';
    return old.length > 0 ? 'removed' : 'nothing';
  }

  #forget(createdMs: number): void {
    this.#createdMs = createdMs;
    this.#seenSeq = 0;
    this.#markSeq = undefined;
    this.#floorSeq = 0;
  }

  /**
   * Reads the newest mark. Writes the first one while the stream may have room for it, and completes an unfinished
   * one.
   */
  async #knowMark(nowMs: number): Promise<boolean> {
    if (this.#markSeq !== undefined) return true;
    const { seq, timeMs, mark } = await this.#o.stream.readMark();
    if (mark?.busy && mark.run !== this.#o.run && nowMs - timeMs < BUSY_MS) return false;
    this.#markSeq = seq;
    this.#floorSeq = Math.max(this.#floorSeq, mark?.floorSeq ?? 0);
    if (seq > 0 && mark?.busy === false) return true;
    return (await this.#mark(false)) !== 'other';
  }

  /** Sequences of old deletions, oldest first. */
  async #find(beforeMs: number): Promise<{ old: readonly number[]; seenSeq: number; isMore: boolean }> {
    const { stream, maxRemovals } = this.#o;
    const old: number[] = [];
    const max = maxRemovals * READS_PER_REMOVAL;
    let seenSeq = this.#seenSeq;
    let read = 0;
    let isYoung = false;
    await stream.read({ seq: seenSeq + 1, max }, ({ seq, timeMs, isEmpty }) => {
      isYoung = timeMs >= beforeMs;
      if (isYoung) return false;
      read++;
      seenSeq = seq;
      if (isEmpty) old.push(seq);
      return old.length < maxRemovals;
    });
    return { old, seenSeq, isMore: !isYoung && (old.length >= maxRemovals || read >= max) };
  }

  /** False if another control cleans up as well. */
  async #remove(old: readonly number[]): Promise<boolean> {
    this.#floorSeq = Math.max(this.#floorSeq, old.at(-1) ?? 0);
    let rest = old;
    let outcome = await this.#mark(true);
    if (outcome === 'full') {
      await this.#removeAll(old.slice(0, FIRST_ROOM));
      rest = old.slice(FIRST_ROOM);
      outcome = await this.#mark(true);
    }
    if (outcome !== 'kept') return false;
    await this.#removeAll(rest);
    return (await this.#mark(false)) === 'kept';
  }

  async #removeAll(seqs: readonly number[]): Promise<void> {
    for (let i = 0; i < seqs.length; i += IN_FLIGHT) {
      const slice = seqs.slice(i, i + IN_FLIGHT);
      const gone = await Promise.all(slice.map((seq) => this.#o.stream.remove(seq)));
      const count = gone.filter((isGone) => isGone).length;
      this.#removed += count;
      this.#o.onRemoved(count);
    }
  }

  async #mark(busy: boolean): Promise<'kept' | 'other' | 'full'> {
    const { stream, run } = this.#o;
    const mark: CleanupMark = { floorSeq: this.#floorSeq, run, removed: this.#removed, busy };
    const { outcome, seq } = await stream.writeMark(mark, this.#markSeq ?? 0);
    // If the mark is another control's, the next round reads it again.
    if (outcome === 'kept') this.#markSeq = seq;
    else if (outcome === 'other') this.#markSeq = undefined;
    return outcome;
  }
}
