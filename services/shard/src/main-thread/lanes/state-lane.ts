// The state lane of all channels of the shard: bounds what they hold together, and knows what a tick must send.
// Deletions use only the room that values leave: the oldest go first, and a position from before them gets a snapshot.
import type { CleanupMark } from '@weir/protocol';
import type { Deletion } from './deletions.ts';
import { Deletions } from './deletions.ts';
import { Places } from './places.ts';
import type { StateChange, StateEntry } from './state-log.ts';
import { StateLog } from './state-log.ts';

/** How much the state lane may hold. */
export interface StateLimits {
  /** Keys over all channels; deletions are remembered in the room that they leave. */
  readonly maxKeys: number;
  /** Bytes of keys and values over all channels. */
  readonly maxBytes: number;
  /** How long a deletion is remembered, in milliseconds. */
  readonly deletionMs: number;
}

/**
 * What came of a message: taken, as the first of its key that the lane knows of or as a later one; `old`, ignored or a
 * deletion that only raises the floor; `full`, the lane has no room for it.
 */
export type Applied = 'new' | 'known' | 'old' | 'full';

/** One channel's changes since the last tick. */
export interface DirtyChannel {
  readonly channel: string;
  readonly log: StateLog;
  /** The changes are what the log has after this sequence. */
  readonly sinceSeq: number;
}

/** The newest mark of a clean-up in the stream, and its place. */
export interface Cleanup extends CleanupMark {
  readonly seq: number;
}

export class StateLane {
  /** When the messages that it was filled from were stored. */
  readonly places: Places = new Places();
  readonly #limits: StateLimits;
  readonly #logs = new Map<string, StateLog>();
  readonly #dirty = new Map<string, number>();
  /** Of every channel that is not here: empty; it knows the newest deletion that was forgotten with a channel. */
  readonly #unknown = new StateLog();
  readonly #deletions = new Deletions();
  #evicted = 0;
  #refused = 0;
  #cleanup: Cleanup | undefined;
  #keys = 0;
  #bytes = 0;
  #seq = 0;

  constructor(limits: StateLimits) {
    this.#limits = limits;
  }

  /** Sequence of the stream up to which everything is in here. */
  get seq(): number {
    return this.#seq;
  }

  get channels(): number {
    return this.#logs.size;
  }

  /** Keys and remembered deletions. */
  get keys(): number {
    return this.#keys;
  }

  /** Keys that have a value. */
  get liveKeys(): number {
    return this.#keys - this.#deletions.count;
  }

  get rememberedDeletions(): number {
    return this.#deletions.count;
  }

  /** Deletions that were forgotten before their time, since values needed the room. */
  get evictedDeletions(): number {
    return this.#evicted;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Values that had no room so far. */
  get refused(): number {
    return this.#refused;
  }

  get cleanup(): Cleanup | undefined {
    return this.#cleanup;
  }

  /** A channel's log; an empty one for an unknown channel. */
  log(channel: string): StateLog {
    return this.#logs.get(channel) ?? this.#unknown;
  }

  /** Takes one message of the stream. Its sequence moves the lane on, whatever comes of it. */
  apply(channel: string, change: StateChange, timeMs: number): Applied {
    const known = this.#logs.get(channel);
    const lastSeq = known?.lastSeq ?? 0;
    const applied = this.#take(channel, known, change, timeMs);
    const isTaken = applied === 'new' || applied === 'known';
    if (isTaken && !this.#dirty.has(channel)) this.#dirty.set(channel, lastSeq);
    return applied;
  }

  /**
   * Takes one message while the lane is filled, before it is served: no tick has to tell it, and a deletion that is
   * past its time only raises the floor.
   */
  load(
    channel: string,
    change: StateChange,
    { timeMs, nowMs }: { readonly timeMs: number; readonly nowMs: number },
  ): Applied {
    const { key, value, seq } = change;
    const known = this.#logs.get(channel);
    const old = value === undefined && timeMs < nowMs - this.#limits.deletionMs;
    if (!old || known?.bytesOf(key) !== undefined) return this.#take(channel, known, change, timeMs);
    this.advance(seq);
    (known ?? this.#unknown).raiseFloor(seq);
    return 'old';
  }

  /** Takes a mark: deletions up to its floor may be gone from the stream, so that no shard that starts can tell them. */
  cleanedUp(mark: Cleanup): void {
    this.advance(mark.seq);
    this.#cleanup = mark;
    // A removed deletion came before the mark. Whatever the mark says, messages after it are news.
    this.raiseFloor(Math.min(mark.floorSeq, mark.seq));
  }

  /** Deletions of any channel up to here may not be known: a position from before it needs a snapshot. */
  raiseFloor(seq: number): void {
    this.#unknown.raiseFloor(seq);
    for (const log of this.#logs.values()) log.raiseFloor(seq);
  }

  /** Moves the sequence on over messages that were refused or belong to no lane. */
  advance(seq: number): void {
    this.#seq = Math.max(this.#seq, seq);
  }

  /** The entries of all channels after a sequence, channel by channel; an entry is good until the next one is asked for. */
  *after(seq: number): Generator<StateEntry & { readonly channel: string }> {
    for (const [channel, log] of this.#logs) {
      if (log.lastSeq <= seq) continue;
      const entries: StateEntry[] = [];
      log.since(seq, (entry) => entries.push(entry) > 0);
      for (const entry of entries) yield { channel, ...entry };
    }
  }

  /** The channels that changed since the last call. */
  takeDirty(): readonly DirtyChannel[] {
    const dirty: DirtyChannel[] = [];
    for (const [channel, sinceSeq] of this.#dirty) {
      const log = this.#logs.get(channel);
      if (log === undefined) continue;
      log.forgetMoved();
      dirty.push({ channel, log, sinceSeq });
    }
    this.#dirty.clear();
    return dirty;
  }

  /** Forgets deletions that are older than the limit, and channels without entries. */
  forgetDeletions(nowMs: number): void {
    const beforeMs = nowMs - this.#limits.deletionMs;
    let next = this.#deletions.oldest;
    while (next !== undefined && next.timeMs < beforeMs) {
      const deletion = next;
      next = deletion.newer;
      // A deletion that no tick has handed over yet is kept.
      if (!this.#isUntold(deletion)) this.#forget(deletion);
    }
    for (const log of this.#logs.values()) this.#dropEmpty(log);
  }

  #take(channel: string, known: StateLog | undefined, change: StateChange, timeMs: number): Applied {
    this.advance(change.seq);
    const log = known ?? new StateLog(channel, this.#unknown, this.#deletions);
    if (!log.isNews(change.seq)) return 'old';
    const fits = this.#fits(log, change);
    // Making room may forget the very deletion that the message follows.
    const wasKnown = !fits && log.has(change.key) !== undefined;
    if (!fits && !this.#makeRoom(log, change)) {
      if (change.value !== undefined) {
        this.#refused++;
        return 'full';
      }
      // No room to remember the deletion of a key that is not here: a position from before it needs a snapshot.
      (known ?? this.#unknown).raiseFloor(change.seq);
      return 'old';
    }
    const { entries, bytes } = log;
    log.apply(change, timeMs);
    // Also if making room has just emptied the log and dropped it.
    if (entries === 0) this.#logs.set(channel, log);
    this.#keys += log.entries - entries;
    this.#bytes += log.bytes - bytes;
    return log.entries > entries && !wasKnown ? 'new' : 'known';
  }

  /** Forgets the oldest deletions until the entry fits; forgets none if it would not fit without all of them. */
  #makeRoom(log: StateLog, entry: StateChange): boolean {
    const { key, value = '' } = entry;
    const oldBytes = log.get(key) === undefined ? undefined : log.bytesOf(key);
    const liveBytes = this.#bytes - this.#deletions.bytes;
    const roomForKey = oldBytes !== undefined || this.liveKeys < this.#limits.maxKeys;
    if (!roomForKey || liveBytes + key.length + value.length - (oldBytes ?? 0) > this.#limits.maxBytes)
      return false;
    while (!this.#fits(log, entry)) {
      const { oldest } = this.#deletions;
      if (oldest === undefined) return false;
      this.#forget(oldest);
      this.#evicted++;
    }
    return true;
  }

  #fits(log: StateLog, { key, value = '' }: StateChange): boolean {
    const oldBytes = log.bytesOf(key);
    if (oldBytes === undefined && this.#keys >= this.#limits.maxKeys) return false;
    const grownBytes = key.length + value.length - (oldBytes ?? 0);
    return grownBytes <= 0 || this.#bytes + grownBytes <= this.#limits.maxBytes;
  }

  #forget(deletion: Deletion): void {
    const { log, key } = deletion;
    log.forget(deletion);
    this.#keys--;
    this.#bytes -= key.length;
    this.#dropEmpty(log);
  }

  #isUntold({ log, seq }: Deletion): boolean {
    const toldSeq = this.#dirty.get(log.channel);
    return toldSeq !== undefined && seq > toldSeq;
  }

  /** The next tick still needs a channel that has changed. */
  #dropEmpty(log: StateLog): void {
    if (log.entries > 0 || this.#dirty.has(log.channel)) return;
    this.#unknown.outlive(log);
    this.#logs.delete(log.channel);
  }
}
