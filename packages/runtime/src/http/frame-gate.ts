// Stands between a client's socket and the WebSocket library and decides, frame by frame, what the library reads.
// It walks headers and skips payloads; it never unmasks, keeps or changes a byte. While it is shut only the client's
// Close passes, and after a bounded number of bytes or frames the socket is not read any more.
import type { Duplex } from 'node:stream';

/** Opcodes of control frames (RFC 6455, section 5.2). */
export const CLOSE_OPCODE = 8;
export const PONG_OPCODE = 10;

const MASK_BYTES = 4;
/**
 * Frames that are walked over, and pieces that are read, while the gate is shut. What a client has under way when it is
 * closed are its last pongs and messages; 64 KB of empty frames would be 11,000, which cost 2 ms to walk, and byte by
 * byte each piece costs 4 µs.
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
  /** Whether the frame that is under way goes on to the library. */
  #passes = false;
  /** Header bytes of that frame seen so far: 0 between two frames, 2 from the short length on. */
  #headerBytes = 0;
  /** Bytes of its extended length that are still to come. */
  #lengthBytes = 0;
  #masked = false;
  /** Its length; once that is known, the bytes of mask and payload that are still to come. */
  #length = 0;

  /** In the turn of the upgrade, before a byte is read. The gate is shut until it is opened. */
  constructor(socket: Duplex, closingBytes: number) {
    this.#socket = socket;
    this.#closingBytes = closingBytes;
    const [reader] = socket.listeners('data');
    if (reader === undefined) throw new Error('the WebSocket library does not read this socket');
    this.#feed = (chunk) => void reader.call(socket, chunk);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.off('data', reader as () => void);
    // Before the library, which parses what is left in the queue of a socket that closes.
    socket.prependListener('close', () => this.#takeRest());
  }

  /** The client has sent too much since the gate was shut; its socket is not read any more. */
  get flooded(): boolean {
    return this.#shutBytes > this.#closingBytes || this.#shutSteps > MAX_SHUT_STEPS;
  }

  /** The client has said Close. */
  get closeSeen(): boolean {
    return this.#closeSeen;
  }

  /**
   * From now on each frame that begins is asked for by its opcode, and each piece that is read. An answer of no comes
   * with shutting the gate.
   */
  open(admits: (opcode: number) => boolean, admitsPiece: () => boolean = always): void {
    this.#admits = admits;
    this.#admitsPiece = admitsPiece;
  }

  /** Nothing passes any more but the rest of the frame that is under way, and the client's Close. */
  shut(): void {
    this.#admits = undefined;
  }

  /** Calls back when the client floods, which it may do already. */
  whenFlooded(then: () => void): void {
    if (this.flooded) then();
    else this.#onFlooded = then;
  }

  #take(chunk: Buffer): void {
    if (this.flooded) {
      // The library resumes a socket when it has room.
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
