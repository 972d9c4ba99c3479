// The state lane of all channels of the shard: bounds what they hold together, and knows what a tick must send.
import type { StateEntry } from './state-log.ts';
import { StateLog } from './state-log.ts';

/** How much the state lane may hold. */
export interface StateLimits {
  /** Keys (deletions included) over all channels. */
  readonly maxKeys: number;
  /** Bytes of keys and values over all channels. */
  readonly maxBytes: number;
  /** How long a deletion is remembered, in milliseconds. */
  readonly deletionMs: number;
}

/** One channel's changes since the last tick. */
export interface DirtyChannel {
  readonly channel: string;
  readonly log: StateLog;
  /** The changes are what the log has after this sequence. */
  readonly sinceSeq: number;
}

export class StateLane {
  readonly #limits: StateLimits;
  readonly #logs = new Map<string, StateLog>();
  readonly #dirty = new Map<string, number>();
  /** Of every channel that is not here: empty; its floor is the newest deletion that was forgotten with a channel. */
  readonly #unknown = new StateLog();
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

  get bytes(): number {
    return this.#bytes;
  }

  /** A channel's log; an empty one where nothing is known of the channel. */
  log(channel: string): StateLog {
    return this.#logs.get(channel) ?? this.#unknown;
  }

  /** Takes one message of the stream; `full` where it would pass the limits (the sequence moves on all the same). */
  apply(channel: string, entry: StateEntry): 'taken' | 'old' | 'full' {
    this.#seq = Math.max(this.#seq, entry.seq);
    const known = this.#logs.get(channel);
    const log = known ?? new StateLog(this.#unknown.floorSeq);
    if (!this.#fits(log, entry)) {
      if (entry.value !== undefined) return 'full';
      // No room to remember the deletion of a key that is not here: who was before it needs a snapshot.
      (known ?? this.#unknown).raiseFloor(entry.seq);
      return 'old';
    }
    const { entries, bytes, lastSeq } = log;
    if (!log.apply(entry)) return 'old';
    if (known === undefined) this.#logs.set(channel, log);
    this.#keys += log.entries - entries;
    this.#bytes += log.bytes - bytes;
    if (!this.#dirty.has(channel)) this.#dirty.set(channel, lastSeq);
    return 'taken';
  }

  /** Moves the position on over messages that were refused or belong to nobody. */
  advance(seq: number): void {
    this.#seq = Math.max(this.#seq, seq);
  }

  /** The channels that changed since the last call. */
  takeDirty(): readonly DirtyChannel[] {
    const dirty: DirtyChannel[] = [];
    for (const [channel, sinceSeq] of this.#dirty) {
      const log = this.#logs.get(channel);
      if (log !== undefined) dirty.push({ channel, log, sinceSeq });
    }
    this.#dirty.clear();
    return dirty;
  }

  /** Forgets deletions that are older than the limit, and channels of which nothing is left. */
  forgetDeletions(nowMs: number): void {
    for (const [channel, log] of this.#logs) {
      // What no tick has told yet is not forgotten.
      if (this.#dirty.has(channel)) continue;
      const { entries, bytes } = log;
      log.forgetDeletions(nowMs - this.#limits.deletionMs);
      this.#keys += log.entries - entries;
      this.#bytes += log.bytes - bytes;
      if (log.entries > 0) continue;
      this.#unknown.raiseFloor(log.floorSeq);
      this.#logs.delete(channel);
    }
  }

  #fits(log: StateLog, { key, value = '' }: StateEntry): boolean {
    const oldBytes = log.bytesOf(key);
    if (oldBytes === undefined && this.#keys >= this.#limits.maxKeys) return false;
    const grownBytes = key.length + value.length - (oldBytes ?? 0);
    return grownBytes <= 0 || this.#bytes + grownBytes <= this.#limits.maxBytes;
  }
}
