// Data frames of the three lanes from the publishers' own bytes: values are copied, never parsed or re-written.
// No frame is larger than `maxFrameBytes`; larger pieces take several frames.
import { textFrame } from '@weir/protocol';
import type { CriticalEntry } from '../lanes/critical-lane.ts';
import type { StateEntry, StateLog } from '../lanes/state-log.ts';

/** A part of a channel's state: frames, and how far they go. */
export interface StatePiece {
  readonly frames: readonly Buffer[];
  readonly bytes: number;
  readonly keys: number;
  /** The cursor after this piece. */
  readonly toSeq: number;
  /** Whether it goes up to the newest entry. */
  readonly done: boolean;
}

/** What to encode of a channel's log. */
export interface StateRequest {
  readonly channel: string;
  readonly sinceSeq: number;
  /** Entries after it are left out; the newest one by default. */
  readonly upToSeq?: number;
  /** The frames replace everything that the client has of the channel. */
  readonly snapshot: boolean;
  readonly maxFrameBytes: number;
  /** Stop after the frame with which the piece reaches this size. */
  readonly maxPieceBytes: number;
}

/** Encodes what a log has after a cursor. A snapshot of an empty channel is one empty frame. */
export function statePiece(log: StateLog | undefined, request: StateRequest): StatePiece {
  const { sinceSeq, upToSeq = Number.POSITIVE_INFINITY } = request;
  const writer = new StateWriter(request);
  let toSeq = sinceSeq;
  let done = true;
  log?.since(sinceSeq, (entry) => {
    if (entry.seq > upToSeq) return false;
    if (!writer.add(entry)) {
      done = false;
      return false;
    }
    toSeq = entry.seq;
    return true;
  });
  writer.finish(done);
  return { frames: writer.frames, bytes: writer.bytes, keys: writer.keys, toSeq, done };
}

class StateWriter {
  readonly frames: Buffer[] = [];
  bytes = 0;
  keys = 0;
  readonly #request: StateRequest;
  readonly #head: string;
  #set: string[] = [];
  #del: string[] = [];
  #open: number;

  constructor(request: StateRequest) {
    this.#request = request;
    this.#head = `{"type":"state","channel":"${request.channel}"${request.snapshot ? ',"snapshot":true' : ''}`;
    this.#open = this.#emptyBytes();
  }

  /** Takes an entry; returns false if the piece is full (a piece takes at least one). */
  add(entry: StateEntry): boolean {
    // A new snapshot has nothing to delete; one in several pieces has, if a key was deleted since the first.
    if (entry.value === undefined && this.#request.snapshot && this.#request.sinceSeq === 0) return true;
    const cost = entry.key.length + 4 + (entry.value?.length ?? 0);
    if (this.keys > 0 && this.bytes + this.#open + cost > this.#request.maxPieceBytes) return false;
    if (this.#set.length + this.#del.length > 0 && this.#open + cost > this.#request.maxFrameBytes)
      this.#close(true);
    if (entry.value === undefined) this.#del.push(`"${entry.key}"`);
    else this.#set.push(`"${entry.key}":${entry.value}`);
    this.#open += cost;
    this.keys++;
    return true;
  }

  finish(done: boolean): void {
    const waiting = this.#set.length + this.#del.length > 0;
    if (waiting || (done && this.#request.snapshot)) this.#close(!done);
  }

  #close(more: boolean): void {
    const flag = this.#request.snapshot && more ? ',"more":true' : '';
    const del = this.#del.length > 0 ? `,"del":[${this.#del.join(',')}]` : '';
    const frame = textFrame(`${this.#head}${flag},"set":{${this.#set.join(',')}}${del}}`);
    this.frames.push(frame);
    this.bytes += frame.length;
    this.#set = [];
    this.#del = [];
    this.#open = this.#emptyBytes();
  }

  #emptyBytes(): number {
    return this.#head.length + ',"more":true,"set":{},"del":[]}'.length;
  }
}

/** The frame of one critical message. */
export function criticalFrame(channel: string, entry: CriticalEntry): Buffer {
  return textFrame(`{"type":"critical","channel":"${channel}","id":${entry.seq},"data":${entry.value}}`);
}

/** The frames of a channel's cosmetic messages of one tick. */
export function cosmeticFrames(
  channel: string,
  values: readonly string[],
  maxFrameBytes: number,
): readonly Buffer[] {
  const head = `{"type":"cosmetic","channel":"${channel}","data":[`;
  const frames: Buffer[] = [];
  let part: string[] = [];
  let size = head.length + 2;
  for (const value of values) {
    if (part.length > 0 && size + value.length + 1 > maxFrameBytes) {
      frames.push(textFrame(`${head}${part.join(',')}]}`));
      part = [];
      size = head.length + 2;
    }
    part.push(value);
    size += value.length + 1;
  }
  if (part.length > 0) frames.push(textFrame(`${head}${part.join(',')}]}`));
  return frames;
}
