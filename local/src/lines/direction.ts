// One direction of a shaping proxy: reads bytes while there is room, and delivers each piece when it is due.
import type { Socket } from 'node:net';
import type { Shape } from './profiles.ts';

const DEFAULT_BUFFER_BYTES = 256_000;
/** Pieces are at least a packet, or the bytes of one timer tick, so that fast links need no thousands of timers. */
const MIN_PIECE_BYTES = 1448;
const PIECE_MS = 2;

interface Piece {
  readonly bytes: Buffer;
  /** Time of arrival. */
  readonly dueMs: number;
}

/** One direction: reads while there is room, holds each piece until it is due, and waits for a slow receiver. */
export class Direction {
  shape: Shape;
  delivered = 0;
  queued = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #tamper: ((bytes: Buffer, chunk: number) => Buffer) | undefined;
  readonly #pieces: Piece[] = [];
  #chunks = 0;
  #freeMs = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #blocked = false;
  #paused = false;

  constructor(from: Socket, to: Socket, shape: Shape, tamper?: (bytes: Buffer, chunk: number) => Buffer) {
    this.#from = from;
    this.#to = to;
    this.shape = shape;
    this.#tamper = tamper;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#ended = true;
      this.#deliver();
    });
    to.on('drain', () => {
      this.#blocked = false;
      this.#deliver();
    });
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused) this.#deliver();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#pieces.length = 0;
    this.queued = 0;
  }

  #take(chunk: Buffer): void {
    const bytes = this.#tamper?.(chunk, this.#chunks++) ?? chunk;
    const { kbps = Number.POSITIVE_INFINITY, delayMs = 0, jitterMs = 0, bufferBytes } = this.shape;
    const pieceBytes = Math.max(MIN_PIECE_BYTES, Math.min(65_536, (kbps * PIECE_MS) / 8));
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      const leftMs = Math.max(this.#freeMs, performance.now()) + (piece.length * 8) / kbps;
      const dueMs = Math.max(this.#lastDueMs, leftMs + delayMs + Math.random() * jitterMs);
      this.#pieces.push({ bytes: piece, dueMs });
      this.#freeMs = leftMs;
      this.#lastDueMs = dueMs;
      this.queued += piece.length;
    }
    if (this.queued > (bufferBytes ?? DEFAULT_BUFFER_BYTES)) this.#from.pause();
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#to.destroyed) {
      this.stop();
      return;
    }
    if (this.#paused || this.#blocked) return;
    const nowMs = performance.now();
    for (let next = this.#pieces[0]; next !== undefined && next.dueMs <= nowMs; next = this.#pieces[0]) {
      this.#pieces.shift();
      this.queued -= next.bytes.length;
      this.delivered += next.bytes.length;
      if (!this.#to.write(next.bytes)) {
        this.#blocked = true;
        break;
      }
    }
    if (this.queued <= (this.shape.bufferBytes ?? DEFAULT_BUFFER_BYTES)) this.#from.resume();
    const [next] = this.#pieces;
    if (next !== undefined) {
      this.#timer = setTimeout(() => this.#deliver(), Math.max(0, next.dueMs - nowMs));
    } else if (this.#ended) {
      this.#to.end();
    }
  }
}
