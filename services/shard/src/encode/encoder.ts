// Turns what the lanes have into frames, once: a tick's batch, critical messages between ticks, and the pieces by
// which connections catch up. It never writes to a socket and never changes a lane.
import { encodePosition } from '@weir/protocol';
import type { Batch, CatchUpSource, ChannelFrames } from '../fan-out/batch.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { cosmeticFrames, criticalFrame, statePiece } from './data-frames.ts';

/** Bounds of frames and of the cache of catch-up pieces. */
export interface EncodeLimits {
  readonly maxFrameBytes: number;
  /** Bytes of catch-up pieces that are remembered within a tick, for clients at the same cursor. */
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

const EMPTY = Buffer.alloc(0);

export class Encoder implements CatchUpSource {
  readonly counts: EncodeCounts = { frames: 0, bytes: 0, stateKeys: 0, cachedPieces: 0 };
  readonly #lanes: Lanes;
  readonly #limits: EncodeLimits;
  readonly #pieces = new Map<string, StateAnswer>();
  #pieceBytes = 0;
  #critical = new Map<string, Buffer[]>();
  #stateSeq = 0;
  #criticalSeq = 0;

  constructor(lanes: Lanes, limits: EncodeLimits) {
    this.#lanes = lanes;
    this.#limits = limits;
  }

  /** State sequence up to which ticks have been made. */
  get stateSeq(): number {
    return this.#stateSeq;
  }

  /** Critical sequence up to which batches have been made. */
  get criticalSeq(): number {
    return this.#criticalSeq;
  }

  /** A critical message is to go out with the next batch. */
  critical(
    channel: string,
    entry: { readonly seq: number; readonly value: string; readonly timeMs: number },
  ): void {
    const frame = this.#counted(criticalFrame(channel, entry));
    const frames = this.#critical.get(channel);
    if (frames === undefined) this.#critical.set(channel, [frame]);
    else frames.push(frame);
  }

  /** Critical messages that wait for the next batch. */
  get criticalWaiting(): boolean {
    return this.#critical.size > 0;
  }

  /** The critical messages that have come since the last batch. */
  criticalBatch(): Batch {
    const channels = new Map<string, ChannelFrames>();
    for (const [channel, frames] of this.#takeCritical()) {
      channels.set(channel, { critical: Buffer.concat(frames), state: EMPTY, cosmetic: EMPTY });
    }
    return { channels, fromStateSeq: this.#stateSeq, stateSeq: this.#stateSeq };
  }

  /** Everything since the last tick. */
  tickBatch(): Batch {
    const { state, cosmetic } = this.#lanes;
    const fromStateSeq = this.#stateSeq;
    const critical = this.#takeCritical();
    const channels = new Map<string, ChannelFrames>();
    const frames = (channel: string): ChannelFrames =>
      channels.get(channel) ?? { critical: EMPTY, state: EMPTY, cosmetic: EMPTY };
    for (const [channel, waiting] of critical) {
      channels.set(channel, { ...frames(channel), critical: Buffer.concat(waiting) });
    }
    for (const { channel, log, sinceSeq } of state.takeDirty()) {
      const piece = statePiece(log, {
        channel,
        sinceSeq,
        snapshot: false,
        maxFrameBytes: this.#limits.maxFrameBytes,
        maxPieceBytes: Number.POSITIVE_INFINITY,
      });
      this.counts.stateKeys += piece.keys;
      channels.set(channel, { ...frames(channel), state: this.#joined(piece.frames) });
    }
    for (const { channel, values } of cosmetic.take()) {
      const made = cosmeticFrames(channel, values, this.#limits.maxFrameBytes);
      channels.set(channel, { ...frames(channel), cosmetic: this.#joined(made) });
    }
    this.#stateSeq = state.seq;
    this.#forgetPieces();
    return { channels, fromStateSeq, stateSeq: this.#stateSeq };
  }

  /** A lane was replaced: what was made of the old one no longer counts. */
  restart(lane: 'state' | 'critical'): void {
    this.#forgetPieces();
    if (lane === 'state') {
      this.#lanes.state.takeDirty();
      this.#stateSeq = this.#lanes.state.seq;
    } else {
      this.#critical.clear();
      this.#criticalSeq = this.#lanes.critical.seq;
    }
  }

  state(request: StateRequest): StateAnswer {
    const key = `${request.sinceSeq} ${request.snapshot} ${request.maxPieceBytes} ${request.channel}`;
    const cached = this.#pieces.get(key);
    if (cached !== undefined) {
      this.counts.cachedPieces++;
      return cached;
    }
    const log = this.#lanes.state.log(request.channel);
    const piece = statePiece(log, { ...request, maxFrameBytes: this.#limits.maxFrameBytes });
    const answer = { bytes: this.#joined(piece.frames), toSeq: piece.toSeq, done: piece.done };
    if (this.#pieceBytes + answer.bytes.length <= this.#limits.maxCacheBytes) {
      this.#pieces.set(key, answer);
      this.#pieceBytes += answer.bytes.length + key.length;
    }
    return answer;
  }

  criticalSince(
    request: Parameters<CatchUpSource['criticalSince']>[0],
  ): ReturnType<CatchUpSource['criticalSince']> {
    const frames: Buffer[] = [];
    let bytes = 0;
    let toSeq = request.sinceSeq;
    let done = true;
    this.#lanes.critical.since(request.channel, request.sinceSeq, (entry) => {
      // What has not been in a batch yet comes with the next one, to everybody.
      if (entry.seq > this.#criticalSeq) return false;
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

  criticalLostSeq(channel: string): number {
    return this.#lanes.critical.lostSeq(channel);
  }

  position(hashes: readonly string[]): string {
    return encodePosition({
      stateEpoch: this.#lanes.stateEpoch,
      stateSeq: this.#stateSeq,
      criticalEpoch: this.#lanes.criticalEpoch,
      criticalSeq: this.#criticalSeq,
      channels: hashes,
    });
  }

  #takeCritical(): Map<string, Buffer[]> {
    const waiting = this.#critical;
    this.#critical = new Map();
    this.#criticalSeq = this.#lanes.critical.seq;
    return waiting;
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

  #forgetPieces(): void {
    this.#pieces.clear();
    this.#pieceBytes = 0;
  }
}
