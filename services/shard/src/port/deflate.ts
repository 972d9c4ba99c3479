// permessage-deflate (RFC 7692) once per run of frames, for all clients that share the run; no context is taken over.
// It works on frames that are built already, so that nothing before it needs to know whether a client compresses.
import { constants, deflateRawSync } from 'node:zlib';

/** What compression does, for metrics. */
export interface DeflateCounts {
  /** Bytes of runs before and after, headers included. */
  inBytes: number;
  outBytes: number;
}

export interface DeflateLimits {
  /** Texts below this size are stored, not compressed: the zlib call costs more than the bytes are worth. */
  readonly minBytes: number;
}

const TEXT = 0x81;
/** The bit that says that a message is compressed. */
const RSV1 = 0x40;
/** A stored block takes its length and the complement of it. */
const STORED_HEAD_BYTES = 5;
const MAX_STORED_BYTES = 65_535;

export class Deflater {
  readonly counts: DeflateCounts = { inBytes: 0, outBytes: 0 };
  readonly #limits: DeflateLimits;
  /** Runs that are alive and shared, so that each is compressed once. */
  readonly #made = new WeakMap<Uint8Array, Buffer>();

  constructor(limits: DeflateLimits) {
    this.#limits = limits;
  }

  /**
   * The same messages as frames of a connection that has negotiated permessage-deflate. Every text is marked as
   * compressed, also one that is only stored, because a client library hangs on a mixture; control frames stay.
   * `run` holds whole server frames, as `textFrame` and `pingFrame` build them, and is never changed.
   */
  run(run: Buffer): Buffer {
    const known = this.#made.get(run);
    if (known !== undefined) return known;
    const parts: Buffer[] = [];
    for (let at = 0; at < run.length; ) {
      const { headBytes, length } = headOf(run, at);
      const end = at + headBytes + length;
      parts.push(
        run[at] === TEXT ? this.#deflated(run.subarray(at + headBytes, end)) : run.subarray(at, end),
      );
      at = end;
    }
    const made = Buffer.concat(parts);
    this.counts.inBytes += run.length;
    this.counts.outBytes += made.length;
    this.#made.set(run, made);
    return made;
  }

  #deflated(text: Buffer): Buffer {
    if (text.length < this.#limits.minBytes && text.length <= MAX_STORED_BYTES) return storedFrame(text);
    // Compressed once for all clients, so the highest level costs next to nothing.
    const body = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, level: 9 });
    // The empty block of the flush is left out: the receiver adds it again (RFC 7692, 7.2.1).
    return framed(body.subarray(0, body.length - 4));
  }
}

/** One stored block, then the first byte of the empty one whose rest the receiver adds. */
function storedFrame(text: Buffer): Buffer {
  const body = Buffer.allocUnsafe(STORED_HEAD_BYTES + text.length + 1);
  body[0] = 0;
  body.writeUInt16LE(text.length, 1);
  body.writeUInt16LE(~text.length & 0xffff, 3);
  text.copy(body, STORED_HEAD_BYTES);
  body[body.length - 1] = 0;
  return framed(body);
}

function framed(body: Buffer): Buffer {
  const { length } = body;
  if (length < 126) return Buffer.concat([Buffer.from([TEXT | RSV1, length]), body]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = TEXT | RSV1;
  head[1] = head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
}

function headOf(run: Buffer, at: number): { readonly headBytes: number; readonly length: number } {
  const short = run.readUInt8(at + 1) & 0x7f;
  if (short < 126) return { headBytes: 2, length: short };
  if (short === 126) return { headBytes: 4, length: run.readUInt16BE(at + 2) };
  return { headBytes: 10, length: Number(run.readBigUInt64BE(at + 2)) };
}
