// The critical lane: the last messages of every channel in order, bounded by bytes, count and age.
// It knows what it has lost, so that no client is resumed over a hole in silence.
import { ROUNDING_MS } from './places.ts';

/** One critical message; `value` is the publisher's JSON as latin1 text. */
export interface CriticalEntry {
  readonly seq: number;
  readonly value: string;
  readonly timeMs: number;
  /** When the server stored it, in its own milliseconds. */
  readonly storedMs: number;
}

/** Limits of the lane. All three hold. */
export interface CriticalLimits {
  readonly maxAgeMs: number;
  readonly maxPerChannel: number;
  /** Bytes over all channels: values, and `ENTRY_BYTES` for each message. */
  readonly maxBytes: number;
}

/** Messages that were dropped before their age, by the limit that they gave way to. */
export interface CriticalDrops {
  perChannel: number;
  bytes: number;
}

/** What a message costs besides its value: the entry and its strings' headers. Tiny messages must be bounded too. */
export const ENTRY_BYTES = 96;

interface Ring {
  /** Dropped ones are empty. */
  entries: (CriticalEntry | undefined)[];
  /** Index of the oldest entry; the empty places before it are cut off now and then. */
  start: number;
  /** The newest sequence of this channel that was dropped. */
  lostSeq: number;
  /** Bytes of its entries. */
  bytes: number;
}

interface Placed {
  readonly ring: Ring;
  readonly seq: number;
}

/** Most places beyond the number of messages, before the places of dropped messages are cleared. */
const STALE_PLACES = 1_024;

export class CriticalLane {
  readonly #limits: CriticalLimits;
  readonly #drops: CriticalDrops;
  readonly #rings = new Map<string, Ring>();
  /** The messages of all channels in order, and some that are gone by now. */
  #order: Placed[] = [];
  #orderStart = 0;
  #bytes = 0;
  #count = 0;
  #seq = 0;
  #lostSeq = 0;
  #newestMs = 0;

  /** `drops` is added to: it counts on where another lane takes the place of this one. */
  constructor(limits: CriticalLimits, drops: CriticalDrops = { perChannel: 0, bytes: 0 }) {
    this.#limits = limits;
    this.#drops = drops;
  }

  /** Sequence of the stream up to which everything was taken. */
  get seq(): number {
    return this.#seq;
  }

  /** When the newest message was stored, in milliseconds of the server; 0 if there was none. */
  get newestMs(): number {
    return this.#newestMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get messages(): number {
    return this.#count;
  }

  /** Messages before the stream's first one are lost for every channel. */
  lostBefore(firstSeq: number): void {
    this.#lostSeq = Math.max(this.#lostSeq, firstSeq - 1);
    this.#seq = Math.max(this.#seq, firstSeq - 1);
  }

  /**
   * After loading a stream that keeps `perChannel` messages of a channel: full channels have lost what came before. They
   * explain the holes before their oldest messages. If the last hole, up to `holeSeq`, is another one, something else has
   * removed messages, and any channel may have lost some. A purge of another channel behind such a hole leaves no trace.
   */
  sealLoaded(perChannel: number, holeSeq: number): void {
    let explainedSeq = 0;
    for (const ring of this.#rings.values()) {
      const oldest = ring.entries[ring.start];
      if (oldest === undefined || ring.entries.length - ring.start < perChannel) continue;
      ring.lostSeq = Math.max(ring.lostSeq, oldest.seq - 1);
      explainedSeq = Math.max(explainedSeq, oldest.seq);
    }
    if (holeSeq > explainedSeq) this.#lostSeq = Math.max(this.#lostSeq, holeSeq);
  }

  /** Messages of these channels, or of any, up to `seq` are gone from the stream, and were not read. */
  lose(seq: number, channels: readonly string[] | undefined): void {
    this.advance(seq);
    if (channels === undefined) this.#lostSeq = Math.max(this.#lostSeq, seq);
    else for (const channel of channels) this.#ring(channel).lostSeq = seq;
  }

  /** Takes one message, unless it is older than the newest one. */
  append(channel: string, entry: CriticalEntry): boolean {
    if (entry.seq <= this.#seq) return false;
    this.#seq = entry.seq;
    this.#newestMs = Math.max(this.#newestMs, entry.storedMs);
    const ring = this.#ring(channel);
    ring.entries.push(entry);
    this.#order.push({ ring, seq: entry.seq });
    const bytes = costOf(entry);
    ring.bytes += bytes;
    this.#bytes += bytes;
    this.#count++;
    while (ring.entries.length - ring.start > this.#limits.maxPerChannel) {
      this.#dropOldest(ring);
      this.#drops.perChannel++;
    }
    if (this.#bytes > this.#limits.maxBytes) this.#shrink();
    this.#dropStale();
    return true;
  }

  /** Moves the position on over messages that were refused. */
  advance(seq: number): void {
    this.#seq = Math.max(this.#seq, seq);
  }

  /** The newest message of the channel that is, or may be, no longer here; 0 if all are here. */
  lostSeq(channel: string): number {
    return Math.max(this.#lostSeq, this.#rings.get(channel)?.lostSeq ?? 0);
  }

  /** Whether a client at `seq` may have missed a message of the channel that is no longer here. */
  hasLost(channel: string, seq: number): boolean {
    return seq < this.lostSeq(channel);
  }

  /**
   * Whether the channel has other messages up to `seq` than a client that has had all of them up to there, the last of
   * the stream stored at `storedMs`: a stream that went back has stored its present messages later than all that it lost.
   */
  isReplaced(channel: string, seq: number, storedMs: number): boolean {
    const ring = this.#rings.get(channel);
    if (ring === undefined) return false;
    const last = ring.entries[firstAfter(ring, seq) - 1];
    return last !== undefined && last.storedMs > storedMs + ROUNDING_MS;
  }

  /** Where a client goes on that has had everything of another epoch that was stored up to this time. */
  seqAt(channel: string, storedMs: number): number {
    const ring = this.#rings.get(channel);
    if (ring === undefined) return this.#seq;
    let seq = this.#seq;
    for (let i = ring.entries.length - 1; i >= ring.start; i--) {
      const entry = ring.entries[i];
      if (entry === undefined || entry.storedMs <= storedMs + ROUNDING_MS) break;
      seq = entry.seq - 1;
    }
    return seq;
  }

  /** After which sequence come the newest `count` messages of the channel up to `upToSeq`, as far as they are here. */
  seqBeforeLast(channel: string, count: number, upToSeq: number): number {
    const ring = this.#rings.get(channel);
    if (ring === undefined) return upToSeq;
    const end = firstAfter(ring, upToSeq);
    const first = ring.entries[Math.max(ring.start, end - count)];
    return first === undefined ? upToSeq : Math.min(upToSeq, first.seq - 1);
  }

  /** About how many bytes the messages of a channel have, after a sequence or the newest ones: by the channel's mean. */
  bytesOf(channel: string, which: { readonly afterSeq: number } | { readonly last: number }): number {
    const ring = this.#rings.get(channel);
    const all = ring === undefined ? 0 : ring.entries.length - ring.start;
    if (ring === undefined || all === 0) return 0;
    const messages = 'last' in which ? which.last : ring.entries.length - firstAfter(ring, which.afterSeq);
    return (ring.bytes / all) * Math.min(all, messages);
  }

  /** The newest message, of any channel, that the server stored up to this time; 0 if none is here. */
  seqStoredBy(storedMs: number): number {
    let newest = 0;
    for (const { entries, start } of this.#rings.values()) {
      for (let i = entries.length - 1; i >= start; i--) {
        const entry = entries[i];
        if (entry === undefined || entry.storedMs > storedMs + ROUNDING_MS) continue;
        newest = Math.max(newest, entry.seq);
        break;
      }
    }
    return newest;
  }

  /**
   * How many messages of each channel the lane has from `firstSeq` on that were not told as lost and that the server stored
   * no longer ago than `maxAgeMs`, less `slackMs`.
   */
  kept(o: {
    readonly firstSeq: number;
    readonly serverNowMs: number;
    readonly slackMs: number;
  }): ReadonlyMap<string, number> {
    const sinceMs = o.serverNowMs - this.#limits.maxAgeMs + o.slackMs;
    const kept = new Map<string, number>();
    for (const [channel, ring] of this.#rings) {
      const first = firstAfter(ring, Math.max(this.lostSeq(channel), o.firstSeq - 1));
      const left = ring.entries.slice(first).filter((entry) => (entry?.storedMs ?? 0) >= sinceMs);
      if (left.length > 0) kept.set(channel, left.length);
    }
    return kept;
  }

  /** Messages of a channel after `seq`, in order, until `take` returns false. */
  since(channel: string, seq: number, take: (entry: CriticalEntry) => boolean): void {
    const ring = this.#rings.get(channel);
    if (ring === undefined) return;
    for (let i = firstAfter(ring, seq); i < ring.entries.length; i++) {
      const entry = ring.entries[i];
      if (entry === undefined || !take(entry)) return;
    }
  }

  /** Drops messages that are older than `maxAgeMs`. */
  expire(nowMs: number): void {
    const beforeMs = nowMs - this.#limits.maxAgeMs;
    for (const [channel, ring] of this.#rings) {
      while ((ring.entries[ring.start]?.timeMs ?? beforeMs) < beforeMs) this.#dropOldest(ring);
      // An empty ring is forgotten; its losses then count for all channels, which costs at most a needless gap.
      if (ring.start === ring.entries.length) {
        this.#lostSeq = Math.max(this.#lostSeq, ring.lostSeq);
        this.#rings.delete(channel);
      }
    }
    this.#dropStale();
  }

  #ring(channel: string): Ring {
    const known = this.#rings.get(channel);
    if (known !== undefined) return known;
    const ring = { entries: [], start: 0, lostSeq: 0, bytes: 0 };
    this.#rings.set(channel, ring);
    return ring;
  }

  #dropOldest(ring: Ring): void {
    const entry = ring.entries[ring.start];
    if (entry === undefined) return;
    ring.entries[ring.start] = undefined;
    ring.start++;
    ring.lostSeq = Math.max(ring.lostSeq, entry.seq);
    const bytes = costOf(entry);
    ring.bytes -= bytes;
    this.#bytes -= bytes;
    this.#count--;
    if (ring.start > 256 && ring.start * 2 > ring.entries.length) {
      ring.entries = ring.entries.slice(ring.start);
      ring.start = 0;
    }
  }

  /** Over the limit of bytes: the oldest messages of all channels give first. */
  #shrink(): void {
    while (this.#bytes > this.#limits.maxBytes) {
      const oldest = this.#order[this.#orderStart++];
      if (oldest === undefined) return;
      if (!isHere(oldest)) continue;
      this.#dropOldest(oldest.ring);
      this.#drops.bytes++;
    }
  }

  #dropStale(): void {
    if (this.#order.length <= 2 * this.#count + STALE_PLACES) return;
    this.#order = this.#order.slice(this.#orderStart).filter(isHere);
    this.#orderStart = 0;
  }
}

/** Messages leave a ring in their order. */
function isHere({ ring, seq }: Placed): boolean {
  return seq >= (ring.entries[ring.start]?.seq ?? Number.POSITIVE_INFINITY);
}

function costOf(entry: CriticalEntry): number {
  return entry.value.length + ENTRY_BYTES;
}

function firstAfter(ring: Ring, seq: number): number {
  let low = ring.start;
  let high = ring.entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring.entries[middle]?.seq ?? 0) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}
