// Keys that the state stream had and that a later epoch of it lacks, with their last known values. They are kept until
// the keys are back, a person discards them, or their time is over. A shard does not serve them to clients and does not
// write them back: a purge looks the same, and only a person knows whether the keys were meant to go.
import type { StateLane } from './state-lane.ts';

export interface LostStateLimits {
  /** Keys and bytes as the state lane has them: in the worst case a whole lane is kept. */
  readonly maxKeys: number;
  readonly maxBytes: number;
  /** How long lost keys are kept, in milliseconds; 0 keeps none. */
  readonly keepMs: number;
  /** A loss of a larger part of the keys, 0 to 1, is reported and kept. A smaller one is only counted. */
  readonly ratio: number;
}

/** A loss that is reported to a person. */
export interface Loss {
  readonly lost: number;
  /** Keys that had a value before. */
  readonly of: number;
  /** Lost keys that are kept, those of earlier losses included. */
  readonly kept: number;
}

export interface LostEntry {
  readonly channel: string;
  readonly key: string;
  /** The publisher's JSON, one character a byte. */
  readonly value: string;
}

export class LostState {
  readonly #limits: LostStateLimits;
  #kept = new Values();
  /** Time of the last loss. */
  #sinceMs = 0;
  #lostKeys = 0;
  #discardedKeys = 0;

  constructor(limits: LostStateLimits) {
    this.#limits = limits;
  }

  /** Lost keys that are kept. */
  get keys(): number {
    return this.#kept.keys;
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  /** Keys that were lost since the start, small losses included. */
  get lostKeys(): number {
    return this.#lostKeys;
  }

  /** Kept keys that were given up: their time was over, there was no room, or a person discarded them. */
  get discardedKeys(): number {
    return this.#discardedKeys;
  }

  /** One lane takes the place of another: keeps what the new one lacks. Returns the loss if it is a large one. */
  replaced(before: StateLane, after: StateLane, nowMs: number): Loss | undefined {
    const lost = new Values();
    for (const { channel, key, value } of before.after(0))
      if (value !== undefined && !has(after, channel, key)) lost.set(channel, key, value);
    this.#lostKeys += lost.keys;
    for (const { channel, key } of this.entries()) if (has(after, channel, key)) this.back(channel, key);
    const loss = { lost: lost.keys, of: before.liveKeys };
    if (loss.lost === 0 || loss.lost <= loss.of * this.#limits.ratio) return undefined;
    if (this.#limits.keepMs > 0) this.#keep(lost, nowMs);
    return { ...loss, kept: this.keys };
  }

  /** The stream has the key again, with a value or a deletion: forgets the kept value. */
  back(channel: string, key: string): void {
    if (this.#kept.keys > 0) this.#kept.delete(channel, key);
  }

  /** Forgets the kept keys when their time is over. Returns how many they were. */
  expire(nowMs: number): number {
    return nowMs - this.#sinceMs < this.#limits.keepMs ? 0 : this.discard();
  }

  /** Forgets the kept keys. Returns how many they were. */
  discard(): number {
    const { keys } = this;
    this.#discardedKeys += keys;
    this.#kept = new Values();
    return keys;
  }

  /** The kept keys, channel by channel. A key that comes back while they are read may be left out. */
  entries(): Generator<LostEntry> {
    return this.#kept.entries();
  }

  /** The newest loss first; of earlier ones as much as there is room for. */
  #keep(lost: Values, nowMs: number): void {
    const { maxKeys, maxBytes } = this.#limits;
    const earlier = this.#kept;
    this.#kept = lost;
    this.#sinceMs = nowMs;
    for (const { channel, key, value } of earlier.entries()) {
      if (lost.has(channel, key)) continue;
      const fits = lost.keys < maxKeys && lost.bytes + key.length + value.length <= maxBytes;
      if (fits) lost.set(channel, key, value);
      else this.#discardedKeys++;
    }
  }
}

function has(lane: StateLane, channel: string, key: string): boolean {
  return lane.log(channel).has(key) !== undefined;
}

/** Values by channel and key, and how many and how large they are. */
class Values {
  readonly #channels = new Map<string, Map<string, string>>();
  keys = 0;
  bytes = 0;

  has(channel: string, key: string): boolean {
    return this.#channels.get(channel)?.has(key) === true;
  }

  /** The key must not be here yet. */
  set(channel: string, key: string, value: string): void {
    let values = this.#channels.get(channel);
    if (values === undefined) {
      values = new Map();
      this.#channels.set(channel, values);
    }
    values.set(key, value);
    this.keys++;
    this.bytes += key.length + value.length;
  }

  delete(channel: string, key: string): void {
    const values = this.#channels.get(channel);
    const value = values?.get(key);
    if (values === undefined || value === undefined) return;
    values.delete(key);
    if (values.size === 0) this.#channels.delete(channel);
    this.keys--;
    this.bytes -= key.length + value.length;
  }

  *entries(): Generator<LostEntry> {
    for (const [channel, values] of this.#channels)
      for (const [key, value] of values) yield { channel, key, value };
  }
}
