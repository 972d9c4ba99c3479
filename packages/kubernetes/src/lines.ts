// Cuts a stream of bytes into lines. Holds at most one unfinished line, of bounded size.
import { KubeUnreachableError } from './errors.ts';

const newline = 0x0a;

/** Returns the complete lines without empty ones. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      this.#hold(chunk.subarray(from, at));
      if (this.#bytes > 0) lines.push(Buffer.concat(this.#parts));
      this.#parts = [];
      this.#bytes = 0;
      from = at + 1;
    }
    this.#hold(chunk.subarray(from));
    return lines;
  }

  #hold(part: Buffer): void {
    if (part.byteLength === 0) return;
    this.#bytes += part.byteLength;
    if (this.#bytes > this.#maxBytes) throw new KubeUnreachableError('a line is longer than it may be');
    this.#parts.push(part);
  }
}
