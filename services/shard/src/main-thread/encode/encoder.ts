// Makes frames from the lanes, once for all clients: the runs of a tick, or of critical messages between two ticks, and
// the pieces by which connections catch up. It never writes to a socket and never changes a lane.
import { controlText, utf8Frame } from '@weir/protocol';
import type { CatchUpSource } from '../catch-up/catch-up.ts';
import type { News, RunSource } from '../hand-over/link.ts';
import type { CriticalEntry } from '../lanes/critical-lane.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { cosmeticFrames, criticalFrame, statePiece } from './data-frames.ts';
import { RunCache } from './run-cache.ts';
import type { Part } from './state-cache.ts';
import { StateCache } from './state-cache.ts';

/** Bounds of frames and of the cache of catch-up pieces. */
export interface EncodeLimits {
  readonly maxFrameBytes: number;
  /** Bytes of catch-up pieces that are remembered within a tick, for clients at the same cursor; the same for runs. */
  readonly maxCacheBytes: number;
}

/** What was encoded, for metrics. */
export interface EncodeCounts {
  frames: number;
  bytes: number;
  stateKeys: number;
  cachedPieces: number;
}

type StateRequest = Parameters<CatchUpSource['state']>[0];
type StateAnswer = ReturnType<CatchUpSource['state']>;

interface Piece extends Part {
  readonly answer: StateAnswer;
}

/** Channels, or all of them. */
type Lost = ReadonlySet<string> | 'any';

const EMPTY = Buffer.alloc(0);

export class Encoder implements CatchUpSource, RunSource {
  readonly counts: EncodeCounts = { frames: 0, bytes: 0, stateKeys: 0, cachedPieces: 0 };
  readonly #lanes: Lanes;
  readonly #limits: EncodeLimits;
  readonly #pieces: StateCache<Piece>;
  readonly #stateRuns: StateCache<Part>;
  readonly #criticalRuns: RunCache;
  readonly #cosmeticRuns: RunCache;
  /** Critical messages that wait for the next flush, and those of the last one. */
  #waiting = new Map<string, CriticalEntry[]>();
  #flushed = new Map<string, CriticalEntry[]>();
  #flushedFromSeq = 0;
  /** Channels that have lost messages before those that wait, and before those of the last flush. */
  #waitingLost: Lost | undefined;
  #flushedLost: Lost | undefined;
  #cosmetic = new Map<string, readonly string[]>();
  #tickFromSeq = 0;
  #stateSeq = 0;
  #criticalSeq = 0;
  #stateMs = 0;
  #criticalMs = 0;

  constructor(lanes: Lanes, limits: EncodeLimits) {
    this.#lanes = lanes;
    this.#limits = limits;
    this.#pieces = new StateCache(limits.maxCacheBytes);
    this.#stateRuns = new StateCache(limits.maxCacheBytes);
    this.#criticalRuns = new RunCache(limits.maxCacheBytes);
    this.#cosmeticRuns = new RunCache(limits.maxCacheBytes);
  }

  /** State sequence of the last tick. */
  get stateSeq(): number {
    return this.#stateSeq;
  }

  /** Critical sequence of the last flush. */
  get criticalSeq(): number {
    return this.#criticalSeq;
  }

  /** When the message at each of the two was stored, in milliseconds of the server. */
  get stateMs(): number {
    return this.#stateMs;
  }

  get criticalMs(): number {
    return this.#criticalMs;
  }

  /** A critical message is to go out with the next flush. */
  critical(channel: string, entry: CriticalEntry): void {
    const entries = this.#waiting.get(channel);
    if (entries === undefined) this.#waiting.set(channel, [entry]);
    else entries.push(entry);
  }

  /** Messages of these channels, or of any, are gone unread, before all that will come. Nothing waits for a flush. */
  criticalLost(channels: readonly string[] | undefined): void {
    this.#waitingLost = channels === undefined ? 'any' : new Set(channels);
  }

  /** Critical messages, or a gap, wait for the next flush. */
  get criticalWaiting(): boolean {
    return this.#waiting.size > 0 || this.#waitingLost !== undefined;
  }

  /** Takes the critical messages that have come since the last flush. */
  flush(): News {
    const critical = this.#takeCritical();
    return { state: [], critical, anyCritical: this.#flushedLost === 'any', cosmetic: [], lateMs: undefined };
  }

  /** Takes everything since the last tick. */
  tick(lateMs: number): News {
    const { state, cosmetic } = this.#lanes;
    const critical = this.#takeCritical();
    const dirty = state.takeDirty().map(({ channel }) => channel);
    this.#cosmetic = new Map(cosmetic.take().map(({ channel, values }) => [channel, values]));
    this.#tickFromSeq = this.#stateSeq;
    this.#stateSeq = state.seq;
    this.#stateMs = state.places.newestMs;
    this.#forgetState();
    this.#cosmeticRuns.clear();
    const anyCritical = this.#flushedLost === 'any';
    return { state: dirty, critical, anyCritical, cosmetic: [...this.#cosmetic.keys()], lateMs };
  }

  /** A lane was replaced: forgets the frames of the old one. */
  restart(lane: 'state' | 'critical'): void {
    if (lane === 'state') {
      this.#lanes.state.takeDirty();
      this.#stateSeq = this.#lanes.state.seq;
      this.#stateMs = this.#lanes.state.places.newestMs;
      this.#tickFromSeq = this.#stateSeq;
      this.#forgetState();
    } else {
      this.#waiting.clear();
      this.#flushed.clear();
      this.#waitingLost = undefined;
      this.#flushedLost = undefined;
      this.#criticalRuns.clear();
      this.#criticalSeq = this.#lanes.critical.seq;
      this.#criticalMs = this.#lanes.critical.newestMs;
      this.#flushedFromSeq = this.#criticalSeq;
    }
  }

  stateRun(channel: string, sinceSeq: number): Buffer {
    const log = this.#lanes.state.log(channel);
    // A thread that has missed ticks may have missed a deletion that is not known any more.
    const missed = sinceSeq < this.#tickFromSeq && sinceSeq < log.floorSeq;
    const snapshot = missed || sinceSeq < log.forgottenSeq;
    const key = `${sinceSeq} ${snapshot} ${channel}`;
    const known = this.#stateRuns.get(key, log);
    if (known !== undefined) return known.bytes;
    // Changes after the tick come with the next one. A snapshot cannot leave them out: their keys would be missing.
    const toSeq = snapshot ? Number.POSITIVE_INFINITY : this.#stateSeq;
    const piece = statePiece(log, {
      channel,
      sinceSeq: snapshot ? 0 : sinceSeq,
      upToSeq: toSeq,
      snapshot,
      maxFrameBytes: this.#limits.maxFrameBytes,
      maxPieceBytes: Number.POSITIVE_INFINITY,
    });
    this.counts.stateKeys += piece.keys;
    const part = { bytes: this.#joined(piece.frames), sinceSeq: snapshot ? 0 : sinceSeq, toSeq };
    return this.#stateRuns.add(key, log, part).bytes;
  }

  criticalRun(channel: string, sinceSeq: number): Buffer {
    return this.#criticalRuns.get(channel, sinceSeq, () => {
      const isLast = sinceSeq === this.#flushedFromSeq && !isIn(this.#flushedLost, channel);
      const flushed = isLast ? this.#flushed.get(channel) : undefined;
      // Also what the lane has lost meanwhile, if it keeps little.
      if (flushed !== undefined) return this.#joined(flushed.map((entry) => criticalFrame(channel, entry)));
      const frames: Buffer[] = [];
      const lostSeq = Math.min(this.#lanes.critical.lostSeq(channel), this.#criticalSeq);
      if (sinceSeq < lostSeq)
        frames.push(utf8Frame(controlText({ type: 'gap', channel, lane: 'critical', after: sinceSeq })));
      this.#lanes.critical.since(channel, sinceSeq, (entry) => {
        if (entry.seq > this.#criticalSeq) return false;
        frames.push(criticalFrame(channel, entry));
        return true;
      });
      return this.#joined(frames);
    });
  }

  cosmeticRun(channel: string): Buffer {
    return this.#cosmeticRuns.get(channel, this.#stateSeq, () =>
      this.#joined(cosmeticFrames(channel, this.#cosmetic.get(channel) ?? [], this.#limits.maxFrameBytes)),
    );
  }

  state(request: StateRequest): StateAnswer {
    const { channel, sinceSeq, snapshot, maxPieceBytes } = request;
    const log = this.#lanes.state.log(channel);
    const key = `${sinceSeq} ${snapshot} ${maxPieceBytes} ${channel}`;
    const known = this.#pieces.get(key, log);
    if (known !== undefined) {
      this.counts.cachedPieces++;
      return known.answer;
    }
    const piece = statePiece(log, { ...request, maxFrameBytes: this.#limits.maxFrameBytes });
    const answer = { bytes: this.#joined(piece.frames), toSeq: piece.toSeq, done: piece.done };
    const toSeq = piece.done ? Number.POSITIVE_INFINITY : piece.toSeq;
    return this.#pieces.add(key, log, { bytes: answer.bytes, sinceSeq, toSeq, answer }).answer;
  }

  criticalSince(
    request: Parameters<CatchUpSource['criticalSince']>[0],
  ): ReturnType<CatchUpSource['criticalSince']> {
    const frames: Buffer[] = [];
    let bytes = 0;
    let toSeq = request.sinceSeq;
    let done = true;
    this.#lanes.critical.since(request.channel, request.sinceSeq, (entry) => {
      // Messages that have not been handed over yet come with the next batch, to all clients.
      if (entry.seq > request.upToSeq) return false;
      if (bytes > 0 && bytes + entry.value.length > request.maxPieceBytes) {
        done = false;
        return false;
      }
      const frame = this.#counted(criticalFrame(request.channel, entry));
      frames.push(frame);
      bytes += frame.length;
      toSeq = entry.seq;
      return true;
    });
    return { bytes: Buffer.concat(frames), toSeq, done };
  }

  emptySnapshot(channel: string): Buffer {
    return this.#joined(
      statePiece(undefined, {
        channel,
        sinceSeq: 0,
        snapshot: true,
        maxFrameBytes: this.#limits.maxFrameBytes,
        maxPieceBytes: this.#limits.maxFrameBytes,
      }).frames,
    );
  }

  stateFloor(channel: string): number {
    return this.#lanes.state.log(channel).floorSeq;
  }

  criticalSeqBeforeLast(channel: string, count: number, upToSeq: number): number {
    return this.#lanes.critical.seqBeforeLast(channel, count, upToSeq);
  }

  criticalLostSeq(channel: string): number {
    return this.#lanes.critical.lostSeq(channel);
  }

  #takeCritical(): readonly string[] {
    this.#flushed = this.#waiting;
    this.#waiting = new Map();
    this.#flushedLost = this.#waitingLost;
    this.#waitingLost = undefined;
    this.#flushedFromSeq = this.#criticalSeq;
    this.#criticalSeq = this.#lanes.critical.seq;
    this.#criticalMs = this.#lanes.critical.newestMs;
    this.#criticalRuns.clear();
    const lost = this.#flushedLost === 'any' ? [] : (this.#flushedLost ?? []);
    return [...new Set([...this.#flushed.keys(), ...lost])];
  }

  #joined(frames: readonly Buffer[]): Buffer {
    for (const frame of frames) this.#counted(frame);
    const [first] = frames;
    if (first === undefined) return EMPTY;
    return frames.length === 1 ? first : Buffer.concat(frames);
  }

  #counted(frame: Buffer): Buffer {
    this.counts.frames++;
    this.counts.bytes += frame.length;
    return frame;
  }

  #forgetState(): void {
    this.#stateRuns.clear();
    this.#pieces.clear();
  }
}

function isIn(lost: Lost | undefined, channel: string): boolean {
  return lost === 'any' || lost?.has(channel) === true;
}
