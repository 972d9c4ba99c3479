// Walks over the frames of a server's byte stream without keeping them: the load must cost less than what it measures.

const PING = 9;
const CLOSE = 8;
const MAX_HEADER_BYTES = 10;

/** Receives frames. A text frame has its payload only if `keep` is set, and only during the call. */
export interface FrameListener {
  text(payload: Buffer, bytes: number): void;
  ping(payload: Buffer): void;
  close(): void;
}

export class FrameReader {
  readonly #listener: FrameListener;
  readonly #keep: boolean;
  readonly #header = Buffer.alloc(MAX_HEADER_BYTES);
  #headerBytes = 0;
  #opcode = 0;
  #left = 0;
  #size = 0;
  #parts: Buffer[] = [];

  constructor(listener: FrameListener, keep: boolean) {
    this.#listener = listener;
    this.#keep = keep;
  }

  /** Takes the next bytes, cut anywhere. */
  take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        at = this.#readHeader(chunk, at);
        if (this.#left === 0 && this.#headerBytes === 0) this.#end();
        continue;
      }
      const part = chunk.subarray(at, at + this.#left);
      this.#left -= part.length;
      // The chunk is reused after this call: an incomplete part must be copied.
      if (this.#keep || this.#opcode >= CLOSE) this.#parts.push(this.#left === 0 ? part : Buffer.from(part));
      at += part.length;
      if (this.#left === 0) this.#end();
    }
  }

  #readHeader(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      this.#header[this.#headerBytes++] = chunk[at++] ?? 0;
      const need = headerSize(this.#header, this.#headerBytes);
      if (this.#headerBytes < need) continue;
      this.#opcode = (this.#header[0] ?? 0) & 0x0f;
      this.#left = payloadSize(this.#header);
      this.#size = this.#left + need;
      this.#headerBytes = 0;
      return at;
    }
    return at;
  }

  #end(): void {
    const [first = EMPTY] = this.#parts;
    const payload = this.#parts.length <= 1 ? first : Buffer.concat(this.#parts);
    if (this.#parts.length > 0) this.#parts = [];
    if (this.#opcode === PING) this.#listener.ping(payload);
    else if (this.#opcode === CLOSE) this.#listener.close();
    else if (this.#opcode < CLOSE) this.#listener.text(payload, this.#size);
  }
}

const EMPTY = Buffer.alloc(0);

function headerSize(header: Buffer, have: number): number {
  if (have < 2) return 2;
  const short = (header[1] ?? 0) & 0x7f;
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}

function payloadSize(header: Buffer): number {
  const short = (header[1] ?? 0) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
}
