// Follows the frames of zstd data without unpacking them, because Node's unpacker is silent about two faults: it drops
// bytes behind a frame in the same chunk, and Node 22 accepts truncated data as complete. Pure.

type Step = 'magic' | 'skippable' | 'descriptor' | 'block' | 'foreign';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const dictionaryIdBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;
const headBytes: Readonly<Record<Step, number>> = {
  magic: 4,
  skippable: 4,
  descriptor: 1,
  block: 3,
  foreign: 1,
};

/** The current place within the frames (RFC 8878, section 3). */
export class ZstdFrames {
  #step: Step = 'magic';
  readonly #head: number[] = [];
  #skip = 0;
  #checksumBytes = 0;

  /** Whether the data may end here: between two frames. Leaves data that is not zstd to the unpacker. */
  get whole(): boolean {
    return this.#foreign || (this.#step === 'magic' && this.#head.length === 0 && this.#skip === 0);
  }

  get #foreign(): boolean {
    return this.#step === 'foreign';
  }

  /** The pieces of the next chunk: no piece has bytes of two frames. */
  cut(chunk: Buffer): readonly Buffer[] {
    const pieces: Buffer[] = [];
    let from = 0;
    let at = 0;
    while (at < chunk.length && !this.#foreign) {
      at = this.#skip > 0 ? this.#skipIn(chunk, at) : this.#headIn(chunk, at);
      if (!this.whole || this.#foreign) continue;
      pieces.push(chunk.subarray(from, at));
      from = at;
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
    return pieces;
  }

  #skipIn(chunk: Buffer, at: number): number {
    const skipped = Math.min(this.#skip, chunk.length - at);
    this.#skip -= skipped;
    return at + skipped;
  }

  #headIn(chunk: Buffer, at: number): number {
    this.#head.push(chunk[at] ?? 0);
    if (this.#head.length < headBytes[this.#step]) return at + 1;
    const value = this.#head.reduceRight((sum, byte) => sum * 256 + byte, 0);
    this.#head.length = 0;
    this.#step = this.#next(value);
    return at + 1;
  }

  /** Handles a head, its bytes as one little-endian number; returns the place after the bytes to skip. */
  #next(value: number): Step {
    switch (this.#step) {
      case 'magic':
        if (value === frameMagic) return 'descriptor';
        return value - (value % 16) === skippableMagic ? 'skippable' : 'foreign';
      case 'skippable':
        this.#skip = value;
        return 'magic';
      case 'descriptor': {
        const isSingle = (value & 0x20) !== 0;
        const sizeFlag = value >> 6;
        this.#checksumBytes = (value & 0x04) === 0 ? 0 : 4;
        this.#skip =
          (isSingle ? 0 : 1) +
          (dictionaryIdBytes[value & 0x03] ?? 0) +
          (isSingle && sizeFlag === 0 ? 1 : (contentSizeBytes[sizeFlag] ?? 0));
        return 'block';
      }
      case 'block': {
        const isRunLength = ((value >> 1) & 0x03) === 1;
        this.#skip = isRunLength ? 1 : value >> 3;
        if ((value & 1) === 0) return 'block';
        this.#skip += this.#checksumBytes;
        return 'magic';
      }
      default:
        return 'foreign';
    }
  }
}
