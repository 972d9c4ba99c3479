// Stands between a client's socket and the WebSocket library and decides, frame by frame, what the library reads.
// It reads headers and skips payloads; it never unmasks, stores or changes a byte. While the gate is shut only the
// client's Close passes. After a bounded number of bytes or frames it stops reading the socket.
import type { Duplex } from 'node:stream';

/** Opcodes of control frames (RFC 6455, section 5.2). */
export const CLOSE_OPCODE = 8;
export const PONG_OPCODE = 10;

const MASK_BYTES = 4;
/**
 * Most frames and pieces that the gate reads while it is shut. A client that is being closed has its last pongs and
 * messages under way. 64 KB of empty frames would be 11,000 frames, which cost 2 ms to read; byte by byte each piece
 * costs 4 µs.
 */
const MAX_SHUT_STEPS = 512;

export class FrameGate {
  readonly #socket: Duplex;
  readonly #closingBytes: number;
  readonly #feed: (chunk: Buffer) => void;
  /** Undefined while the gate is shut. */
  #admits: ((opcode: number) => boolean) | undefined;
  #admitsPiece: () => boolean = always;
  #onFlooded: (() => void) | undefined;
  #closeSeen = false;
  #shutBytes = 0;
  #shutSteps = 0;
  /** Whether the current frame passes to the library. */
  #passes = false;
  /** Header bytes of that frame seen so far: 0 between two frames, 2 from the short length on. */
  #headerBytes = 0;
  /** Bytes of its extended length that are still to come. */
  #lengthBytes = 0;
  #masked = false;
  /** Its length; once that is known, the bytes of mask and payload that are still to come. */
  #length = 0;

  /** Create it in the turn of the upgrade, before a byte is read. The gate begins shut. */
  constructor(socket: Duplex, closingBytes: number) {
    this.#socket = socket;
    this.#closingBytes = closingBytes;
    const [reader] = socket.listeners('data');
    if (reader === undefined) throw new Error('the WebSocket library does not read this socket');
    this.#feed = (chunk) => void reader.call(socket, chunk);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.off('data', reader as () => void);
    // Before the library's listener: the library parses the rest of the queue of a socket that closes.
    socket.prependListener('close', () => this.#takeRest());
  }

  /** The client has sent too much since the gate was shut; its socket is no longer read. */
  get flooded(): boolean {
    return this.#shutBytes > this.#closingBytes || this.#shutSteps > MAX_SHUT_STEPS;
  }

  /** The client has sent its Close. */
  get closeSeen(): boolean {
    return this.#closeSeen;
  }

  /**
   * From now on the gate asks `admits` for each frame by its opcode, and `admitsPiece` for each piece that it reads. A
   * callback that answers no has shut the gate.
   */
  open(admits: (opcode: number) => boolean, admitsPiece: () => boolean = always): void {
    this.#admits = admits;
    this.#admitsPiece = admitsPiece;
  }

  /** From now on only the rest of the current frame and the client's Close pass. */
  shut(): void {
    this.#admits = undefined;
  }

  /** Calls back when the client floods, at once if it already does. */
  whenFlooded(then: () => void): void {
    if (this.flooded) then();
    else this.#onFlooded = then;
  }

  #take(chunk: Buffer): void {
    if (this.flooded) {
      // The library resumes a socket when it has room again.
      this.#socket.pause();
      return;
    }
    if (this.#admits !== undefined) this.#admitsPiece();
    if (this.#admits === undefined && this.#isFlood(chunk.length, 1)) return;
    let from = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#headerBytes === 0) {
        const passes = this.#judge((chunk[at] ?? 0) & 0x0f);
        if (this.#passes && !passes && at > from) this.#feed(chunk.subarray(from, at));
        if (this.#passes !== passes) from = at;
        this.#passes = passes;
        if (!passes && this.#isFlood(0, 1)) return;
      }
      at = this.#walk(chunk, at);
    }
    if (this.#passes) this.#feed(from === 0 ? chunk : chunk.subarray(from));
  }

  #takeRest(): void {
    const rest: unknown = this.#socket.read(this.#socket.readableLength);
    if (Buffer.isBuffer(rest)) this.#take(rest);
  }

  #isFlood(bytes: number, steps: number): boolean {
    this.#shutBytes += bytes;
    this.#shutSteps += steps;
    if (!this.flooded) return false;
    this.#socket.pause();
    this.#onFlooded?.();
    return true;
  }

  #judge(opcode: number): boolean {
    if (this.#closeSeen) return false;
    const passes = this.#admits === undefined ? opcode === CLOSE_OPCODE : this.#admits(opcode);
    if (passes && opcode === CLOSE_OPCODE) {
      this.#closeSeen = true;
      this.shut();
    }
    return passes;
  }

  /** Goes on by one header byte, or to the end of the frame or of the chunk. Answers where it stands. */
  #walk(chunk: Buffer, at: number): number {
    if (this.#headerBytes < 2 || this.#lengthBytes > 0) {
      this.#header(chunk[at] ?? 0);
      return at + 1;
    }
    const skipped = Math.min(this.#length, chunk.length - at);
    this.#length -= skipped;
    if (this.#length === 0) this.#headerBytes = 0;
    return at + skipped;
  }

  #header(byte: number): void {
    if (this.#headerBytes === 0) {
      this.#headerBytes = 1;
      return;
    }
    if (this.#headerBytes === 1) {
      this.#headerBytes = 2;
      this.#masked = (byte & 0x80) !== 0;
      const short = byte & 0x7f;
      this.#lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      this.#length = this.#lengthBytes === 0 ? short : 0;
    } else {
      this.#length = this.#length * 256 + byte;
      this.#lengthBytes--;
    }
    if (this.#lengthBytes > 0) return;
    if (this.#masked) this.#length += MASK_BYTES;
    if (this.#length === 0) this.#headerBytes = 0;
  }
}

function always(): boolean {
  return true;
}
