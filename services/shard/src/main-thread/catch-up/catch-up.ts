// Makes the next piece for a connection that is not live: all of its channels in one answer of bounded size, critical
// messages first, then state. The lanes are the queue: this file keeps nothing, and the connection is on another thread.
import { controlText, utf8Frame } from '@weir/protocol';
import type { CatchUpAnswer, CatchUpRequest, Cursor } from '../../port/catch-up.ts';
import type { Form } from '../../port/frames-table.ts';

/** Where the pieces come from. */
export interface CatchUpSource {
  state(request: {
    readonly channel: string;
    readonly sinceSeq: number;
    readonly snapshot: boolean;
    readonly maxPieceBytes: number;
  }): { readonly bytes: Buffer; readonly toSeq: number; readonly done: boolean };
  criticalSince(request: {
    readonly channel: string;
    readonly sinceSeq: number;
    /** Messages after this are left out: they come with a batch. */
    readonly upToSeq: number;
    readonly maxPieceBytes: number;
  }): { readonly bytes: Buffer; readonly toSeq: number; readonly done: boolean };
  /** An empty last frame. It ends a snapshot that was sent in part, so that another can begin. */
  emptySnapshot(channel: string): Buffer;
  /** State up to here may have been deleted and forgotten: a cursor below it needs a snapshot. */
  stateFloor(channel: string): number;
  /** The newest critical message of the channel that is out of the window; 0 if none is. */
  criticalLostSeq(channel: string): number;
  /** After which sequence come the newest `count` critical messages of the channel up to `upToSeq`. */
  criticalSeqBeforeLast(channel: string, count: number, upToSeq: number): number;
  readonly stateSeq: number;
}

export interface CatchUpLimits {
  /** The critical messages up to here have been handed to the connection's thread. */
  readonly criticalSeq: number;
}

/** Answers a request. `form` compresses frames for a connection that negotiated compression. */
export function catchUp(
  request: CatchUpRequest,
  by: { readonly source: CatchUpSource; readonly form: Form; readonly limits: CatchUpLimits },
): CatchUpAnswer {
  return new Answer(request, by).make();
}

class Answer {
  readonly #request: CatchUpRequest;
  readonly #source: CatchUpSource;
  readonly #form: Form;
  readonly #limits: CatchUpLimits;
  readonly #parts: Buffer[] = [];
  readonly #cursors: Cursor[];
  #bytes = 0;
  #redrawnBytes = 0;

  constructor(
    request: CatchUpRequest,
    by: { readonly source: CatchUpSource; readonly form: Form; readonly limits: CatchUpLimits },
  ) {
    this.#request = request;
    this.#source = by.source;
    this.#form = by.form;
    this.#limits = by.limits;
    this.#cursors = [...request.cursors];
  }

  make(): CatchUpAnswer {
    const criticalLive = this.#request.criticalLive || this.#every((cursor) => this.#critical(cursor));
    const { waitsFor } = this.#request;
    const live = criticalLive && waitsFor !== 'pong' && this.#every((cursor) => this.#state(cursor));
    // A copy of its own: it crosses to another thread, and must not take others' bytes along.
    const bytes = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const reached = waitsFor === 'stream';
    const redrawnBytes = this.#redrawnBytes;
    return { bytes, cursors: live ? [] : this.#cursors, criticalLive, live, reached, redrawnBytes };
  }

  #every(finish: (cursor: Cursor) => { readonly cursor: Cursor; readonly done: boolean }): boolean {
    for (let i = 0; i < this.#cursors.length; i++) {
      const before = this.#cursors[i];
      if (before === undefined) continue;
      const { cursor, done } = finish(before);
      this.#cursors[i] = cursor;
      if (!done) return false;
    }
    return true;
  }

  /** Bytes left in the answer. A small rest counts as none: it is not worth a piece. */
  get #room(): number {
    const { maxBytes } = this.#request;
    const room = maxBytes - this.#bytes;
    return room >= maxBytes / 4 ? room : 0;
  }

  #say(frames: Buffer): void {
    if (frames.length === 0) return;
    const part = this.#form(frames);
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  #critical(from: Cursor): { readonly cursor: Cursor; readonly done: boolean } {
    let cursor = this.#withLast(from);
    const { channel } = cursor;
    const { criticalSeq: upToSeq } = this.#limits;
    for (;;) {
      const room = this.#room;
      if (room === 0) return { cursor, done: false };
      cursor = this.#announceGap(cursor);
      const piece = this.#source.criticalSince({
        channel,
        sinceSeq: cursor.criticalSeq,
        upToSeq,
        maxPieceBytes: room,
      });
      this.#say(piece.bytes);
      if (cursor.again === true) this.#redrawnBytes += piece.bytes.length;
      cursor = { ...cursor, criticalSeq: piece.toSeq };
      if (piece.done) return { cursor, done: true };
    }
  }

  /** The cursor of a client that wants the newest messages of a channel, before them. */
  #withLast({ last, ...cursor }: Cursor): Cursor {
    if (last === undefined) return cursor;
    const { channel, criticalSeq } = cursor;
    const toldSeq = this.#source.criticalLostSeq(channel);
    // What is lost so far is no loss for this client: it never had any of the channel.
    return {
      ...cursor,
      criticalSeq: this.#source.criticalSeqBeforeLast(channel, last, criticalSeq),
      toldSeq,
    };
  }

  /** Announces critical messages that left the lane before the connection got them; none is skipped in silence. */
  #announceGap(cursor: Cursor): Cursor {
    const { channel, criticalSeq: after, toldSeq = 0 } = cursor;
    const lostSeq = Math.min(this.#source.criticalLostSeq(channel), this.#limits.criticalSeq);
    if (Math.max(after, toldSeq) >= lostSeq) return cursor;
    this.#say(utf8Frame(controlText({ type: 'gap', channel, lane: 'critical', after })));
    return { ...cursor, toldSeq: lostSeq };
  }

  #state(from: Cursor): { readonly cursor: Cursor; readonly done: boolean } {
    let cursor = from;
    for (;;) {
      const room = this.#room;
      if (room === 0) return { cursor, done: false };
      const before = this.#bytes;
      cursor = this.#prepared(cursor);
      const { channel, stateSeq: sinceSeq, snapshot } = cursor;
      const piece = this.#source.state({ channel, sinceSeq, snapshot, maxPieceBytes: room });
      this.#say(piece.bytes);
      if (cursor.again === true) this.#redrawnBytes += this.#bytes - before;
      cursor = { ...cursor, stateSeq: piece.toSeq };
      if (piece.done) return { cursor: { ...cursor, snapshot: false, half: false }, done: true };
      if (snapshot) cursor = { ...cursor, half: true };
    }
  }

  /**
   * The cursor for its next piece. A cursor that is older than the remembered deletions begins anew with a snapshot. An
   * earlier snapshot that was sent in part is ended first, because clients would merge the two.
   */
  #prepared(from: Cursor): Cursor {
    let cursor = from;
    const { channel } = cursor;
    const floorSeq = this.#source.stateFloor(channel);
    if (Math.max(cursor.stateSeq, cursor.snapshotSeq) < floorSeq && (cursor.stateSeq > 0 || !cursor.snapshot))
      cursor = { ...cursor, stateSeq: 0, snapshot: true };
    if (!cursor.snapshot || cursor.stateSeq > 0) return cursor;
    if (cursor.half) this.#say(this.#source.emptySnapshot(channel));
    return { ...cursor, half: false, snapshotSeq: Math.max(this.#source.stateSeq, floorSeq) };
  }
}
