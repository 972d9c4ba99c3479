// The main thread's end of one fan-out thread: a cursor into the lanes, and the channels with news for the thread.
// One hand-over is outstanding at a time; meanwhile news is only marked, and the next hand-over has it all.
import type { Form, Runs } from '../../port/frames-table.ts';
import { packFrames } from '../../port/frames-table.ts';
import type { HandOver, Heads, Reply, Reset, ToThread } from '../../port/messages.ts';

const NUDGE_MS = 1_000;
const NOTHING = Buffer.alloc(0);

/** Where frames come from; each run is made once, for all threads at the same cursor. */
export interface RunSource {
  readonly stateSeq: number;
  readonly criticalSeq: number;
  /** When the message at each of the two was stored. */
  readonly stateMs: number;
  readonly criticalMs: number;
  /** What changed in a channel after a sequence, up to the last tick. */
  stateRun(channel: string, sinceSeq: number): Buffer;
  /** A channel's critical messages after a sequence, up to `criticalSeq`; a gap first if some are lost. */
  criticalRun(channel: string, sinceSeq: number): Buffer;
  /** Its cosmetic messages of the last tick. */
  cosmeticRun(channel: string): Buffer;
}

/** What a tick, or a flush of critical messages between two, has found: channels by lane. */
export interface News {
  readonly state: readonly string[];
  readonly critical: readonly string[];
  /** Any channel may have lost critical messages. */
  readonly anyCritical?: boolean;
  readonly cosmetic: readonly string[];
  /** Undefined for a flush. */
  readonly lateMs: number | undefined;
}

export interface LinkOptions {
  readonly source: RunSource;
  readonly deflate: Form;
  readonly post: (message: ToThread, transfer: readonly ArrayBuffer[]) => void;
  /** Milliseconds of the clock that all threads share. */
  readonly nowMs: () => number;
}

export interface LinkCounts {
  handOvers: number;
  bytes: number;
  /** Ticks whose frames went with a later hand-over, because the thread was behind. */
  mergedTicks: number;
  /** Runs of cosmetic frames that such ticks had. */
  cosmeticDropped: number;
}

/** A channel that the thread has subscribers of. */
interface Want {
  readonly id: number;
  readonly channel: string;
  plain: boolean;
  compressed: boolean;
  /** Listed as having news of the lane that the thread has not got. */
  state: boolean;
  critical: boolean;
}

export class Link {
  readonly counts: LinkCounts = { handOvers: 0, bytes: 0, mergedTicks: 0, cosmeticDropped: 0 };
  readonly #options: LinkOptions;
  readonly #wants = new Map<string, Want>();
  /** Wants with news that has not been handed over. */
  #news = new Set<Want>();
  #cosmetic: readonly string[] = [];
  #replies: Reply[] = [];
  #number = 0;
  #doneNumber = 0;
  #stateSeq: number;
  #criticalSeq: number;
  #stateMs: number;
  #criticalMs: number;
  #lateMs = 0;
  /** A tick has not been handed over. */
  #ticked = false;
  /** When the thread was last known to get on. */
  #heardMs: number;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#stateSeq = options.source.stateSeq;
    this.#criticalSeq = options.source.criticalSeq;
    this.#stateMs = options.source.stateMs;
    this.#criticalMs = options.source.criticalMs;
    this.#heardMs = options.nowMs();
  }

  get outstanding(): number {
    return this.#number - this.#doneNumber;
  }

  /** The critical messages up to here have been handed over. */
  get criticalSeq(): number {
    return this.#criticalSeq;
  }

  /** Since when the thread owes an answer; undefined if it owes none. */
  get owingSinceMs(): number | undefined {
    return this.outstanding === 0 ? undefined : this.#heardMs;
  }

  /** The thread has, or no longer has, subscribers of a channel. */
  want(want: { readonly id: number; readonly channel: string; plain: boolean; compressed: boolean }): void {
    const { channel, plain, compressed } = want;
    const known = this.#wants.get(channel);
    if (!plain && !compressed) {
      this.#wants.delete(channel);
      if (known !== undefined) this.#news.delete(known);
      return;
    }
    if (known !== undefined && known.id === want.id) {
      known.plain = plain;
      known.compressed = compressed;
      return;
    }
    const fresh: Want = { ...want, state: false, critical: false };
    this.#wants.set(channel, fresh);
    // A client that comes now is caught up to the last hand-over, and needs what has not been handed over.
    if (this.#criticalSeq < this.#options.source.criticalSeq) this.#mark(fresh, 'critical');
  }

  /** Hands news over, or marks it for later while the thread is behind. */
  news({ state, critical, anyCritical, cosmetic, lateMs }: News): void {
    for (const channel of state) this.#markChannel(channel, 'state');
    for (const channel of critical) this.#markChannel(channel, 'critical');
    if (anyCritical === true) for (const want of this.#wants.values()) this.#mark(want, 'critical');
    if (lateMs !== undefined) this.#tick(lateMs, cosmetic);
    // A second hand-over behind it would delay news that comes meanwhile, and would not keep the thread busier.
    if (this.outstanding === 0) this.#handOver();
  }

  /** The thread has written a hand-over; news that was marked meanwhile follows at once. */
  done(number: number): void {
    this.#doneNumber = Math.max(this.#doneNumber, Math.min(number, this.#number));
    this.#heardMs = this.#options.nowMs();
    if (this.outstanding === 0) this.#handOver();
  }

  /** Asks for a sign of life if nothing has been handed over for a while. */
  nudge(nowMs: number): void {
    if (this.outstanding === 0 && nowMs - this.#heardMs >= NUDGE_MS) this.#post();
  }

  /** Replies go together, when the messages that asked for them have all been read, but before the next hand-over. */
  reply(reply: Reply): void {
    this.#replies.push(reply);
  }

  flushReplies(): void {
    if (this.#replies.length === 0) return;
    const replies = this.#replies;
    this.#replies = [];
    const transfer = replies.flatMap((reply) =>
      reply.kind === 'caughtUp' ? [reply.answer.bytes.buffer] : [],
    );
    this.#options.post({ type: 'replies', replies }, transfer as ArrayBuffer[]);
  }

  /** A lane was replaced. */
  reset(lane: Reset['lane'], heads: Heads, sinceSeq: number): void {
    this.flushReplies();
    for (const want of this.#news) want[lane] = false;
    this.#news = new Set([...this.#news].filter(({ state, critical }) => state || critical));
    const { stateSeq, criticalSeq, stateMs, criticalMs } = this.#options.source;
    if (lane === 'state') {
      this.#stateSeq = stateSeq;
      this.#stateMs = stateMs;
      const now = {
        ...heads,
        stateSeq,
        stateMs,
        criticalSeq: this.#criticalSeq,
        criticalMs: this.#criticalMs,
      };
      this.#options.post({ type: 'reset', lane, heads: now }, []);
      return;
    }
    const afterSeq = this.#criticalSeq;
    this.#criticalSeq = criticalSeq;
    this.#criticalMs = criticalMs;
    const now = { ...heads, stateSeq: this.#stateSeq, stateMs: this.#stateMs, criticalSeq, criticalMs };
    this.#options.post({ type: 'reset', lane, heads: now, afterSeq, sinceSeq }, []);
  }

  /** Only the cosmetic messages of the newest tick are handed over. */
  #tick(lateMs: number, cosmetic: readonly string[]): void {
    if (this.#ticked) {
      this.counts.mergedTicks++;
      this.counts.cosmeticDropped += this.#cosmetic.length;
    }
    this.#ticked = true;
    this.#lateMs = Math.max(this.#lateMs, lateMs);
    this.#cosmetic = cosmetic.filter((channel) => this.#wants.has(channel));
  }

  #markChannel(channel: string, lane: 'state' | 'critical'): void {
    const want = this.#wants.get(channel);
    if (want !== undefined) this.#mark(want, lane);
  }

  #mark(want: Want, lane: 'state' | 'critical'): void {
    want[lane] = true;
    this.#news.add(want);
  }

  #handOver(): void {
    const { source } = this.#options;
    const moved = this.#stateSeq !== source.stateSeq || this.#criticalSeq !== source.criticalSeq;
    if (moved || this.#news.size > 0 || this.#cosmetic.length > 0) this.#post();
    else this.#ticked = false;
  }

  #post(): void {
    const { source, nowMs } = this.#options;
    this.flushReplies();
    const cosmetic = new Set(this.#cosmetic);
    for (const channel of cosmetic) {
      const want = this.#wants.get(channel);
      if (want !== undefined) this.#news.add(want);
    }
    const rows = [...this.#news].map((want) => this.#row(want, cosmetic.has(want.channel)));
    const bytes = packFrames(rows);
    const fromStateSeq = this.#stateSeq;
    const fromCriticalSeq = this.#criticalSeq;
    this.#stateSeq = source.stateSeq;
    this.#criticalSeq = source.criticalSeq;
    this.#stateMs = source.stateMs;
    this.#criticalMs = source.criticalMs;
    if (this.outstanding === 0) this.#heardMs = nowMs();
    const handOver: HandOver = {
      type: 'handOver',
      number: ++this.#number,
      fromStateSeq,
      fromCriticalSeq,
      stateSeq: this.#stateSeq,
      criticalSeq: this.#criticalSeq,
      stateMs: this.#stateMs,
      criticalMs: this.#criticalMs,
      lateMs: this.#lateMs,
      sentMs: nowMs(),
      rows: rows.length,
      bytes,
    };
    this.counts.handOvers++;
    this.counts.bytes += bytes.byteLength;
    this.#lateMs = 0;
    this.#ticked = false;
    this.#news = new Set();
    this.#cosmetic = [];
    this.#options.post(handOver, [bytes]);
  }

  #row(want: Want, cosmetic: boolean): Parameters<typeof packFrames>[0][number] {
    const { source, deflate } = this.#options;
    const { channel } = want;
    const plain: Runs = {
      critical: want.critical ? source.criticalRun(channel, this.#criticalSeq) : NOTHING,
      state: want.state ? source.stateRun(channel, this.#stateSeq) : NOTHING,
      cosmetic: cosmetic ? source.cosmeticRun(channel) : NOTHING,
    };
    want.state = false;
    want.critical = false;
    const form: Form = (run) => (run.length === 0 ? run : deflate(run));
    return {
      id: want.id,
      plain: want.plain ? plain : undefined,
      compressed: want.compressed
        ? { critical: form(plain.critical), state: form(plain.state), cosmetic: form(plain.cosmetic) }
        : undefined,
    };
  }
}
