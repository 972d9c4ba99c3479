// Reads the lines of an input, plain or packed, with bounded memory however large the input or a line is.
import { InputError } from './input-error.ts';
import type { Input } from './open-input.ts';
import { recognise, recognisedBytes, through } from './recognise.ts';
import { hasZstd, unpack } from './unpack.ts';

/** A line without its end; `bytes` is missing if the line was too long. */
export interface Line {
  readonly number: number;
  readonly bytes: Buffer | undefined;
}

/** A reader's progress. */
export interface Reading {
  /** Bytes of the input as it is, packed or not. */
  readonly readBytes: number;
  /** 0 to 1; missing if the size of the input is unknown. */
  readonly done: number | undefined;
}

/** An input's lines and their progress. */
export interface LineReader {
  readonly lines: AsyncIterable<Line>;
  progress(): Reading;
}

/** Counts bytes at each stage: read, taken by the unpacker, unpacked, and returned as lines. */
export interface Meter {
  readBytes: number;
  /** Missing without an unpacker. */
  takenBytes: number | undefined;
  unpackedBytes: number;
  doneBytes: number;
}

/** Reads an input from its start. Its first bytes show the format, not its name. */
export function readLines(input: Input, maxLineBytes: number): LineReader {
  const meter: Meter = { readBytes: 0, takenBytes: undefined, unpackedBytes: 0, doneBytes: 0 };
  return {
    lines: splitLines(plainChunks(input, meter), maxLineBytes, meter),
    progress: () => ({ readBytes: meter.readBytes, done: doneOf(meter, input.size) }),
  };
}

/**
 * The reader reads far ahead, and a small file in one step, so progress counts the bytes returned as lines. It is exact
 * after the whole input is read; before that it assumes the same compression for the rest.
 */
function doneOf(
  { readBytes, takenBytes = readBytes, unpackedBytes, doneBytes }: Meter,
  size: number | undefined,
): number | undefined {
  if (size === undefined) return undefined;
  return unpackedBytes === 0 ? 0 : Math.min(1, (takenBytes / size) * (doneBytes / unpackedBytes));
}

async function* plainChunks(input: Input, meter: Meter): AsyncGenerator<Buffer> {
  const source = await peek(metered(input.chunks(), meter));
  const { name, path } = input;
  const outer = recognise(source.first, { where: name, path });
  if ('problem' in outer) throw new InputError(outer.problem);
  if (outer.form === 'plain') return yield* skipping(source, outer.skip);
  if (outer.form === 'zstd' && !hasZstd) {
    throw new InputError(
      `${name} is zstd, which Node unpacks from 22.15 on (this is ${process.version}): ${through('zstd -dc', path)}`,
    );
  }
  const inside = await peek(
    unpack(outer.form, source.chunks, (bytes) => {
      meter.takenBytes = bytes;
    }),
  );
  const inner = recognise(inside.first, { where: `what ${name} holds in ${outer.form}`, path: undefined });
  if ('problem' in inner) throw new InputError(inner.problem);
  if (inner.form !== 'plain') {
    throw new InputError(`${name} is ${inner.form} within ${outer.form}: unpack it once before`);
  }
  yield* skipping(inside, inner.skip);
}

interface Peeked {
  readonly first: Buffer;
  /** All chunks, including the first bytes. */
  readonly chunks: AsyncIterable<Buffer>;
}

/** Waits only for the required first bytes: a live pipe may pause behind its first line. */
async function peek(chunks: AsyncGenerator<Buffer>): Promise<Peeked> {
  let first: Buffer = Buffer.alloc(0);
  let over = false;
  while (first.length < recognisedBytes && !over) {
    const next = await chunks.next();
    over = next.done === true;
    if (next.done !== true) first = first.length === 0 ? next.value : Buffer.concat([first, next.value]);
  }
  return {
    first,
    chunks: (async function* () {
      try {
        yield first;
        yield* chunks;
      } finally {
        await chunks.return(undefined);
      }
    })(),
  };
}

async function* skipping({ chunks }: Peeked, skip: number): AsyncGenerator<Buffer> {
  let left = skip;
  for await (const chunk of chunks) {
    yield left === 0 ? chunk : chunk.subarray(left);
    left = 0;
  }
}

async function* metered(chunks: AsyncIterable<Buffer>, meter: Meter): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    meter.readBytes += chunk.length;
    yield chunk;
  }
}

/** Splits chunks into lines; the last may lack its newline. */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxLineBytes: number,
  meter: Meter = { readBytes: 0, takenBytes: undefined, unpackedBytes: 0, doneBytes: 0 },
): AsyncGenerator<Line> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let number = 1;
  const cut = (rest: Buffer): Line => {
    const bytes = heldBytes + rest.length > maxLineBytes ? undefined : Buffer.concat([...held, rest]);
    held = [];
    heldBytes = 0;
    return { number: number++, bytes };
  };
  for await (const chunk of chunks) {
    const before = meter.unpackedBytes;
    meter.unpackedBytes += chunk.length;
    let from = 0;
    for (let newline = chunk.indexOf(0x0a); newline >= 0; newline = chunk.indexOf(0x0a, from)) {
      yield cut(chunk.subarray(from, newline));
      from = newline + 1;
      meter.doneBytes = before + from;
    }
    const rest = chunk.subarray(from);
    // For a line that is already too long, only the length is kept.
    if (heldBytes + rest.length > maxLineBytes) held = [];
    else if (rest.length > 0) held.push(rest);
    heldBytes += rest.length;
  }
  if (heldBytes > 0) yield cut(Buffer.alloc(0));
  meter.doneBytes = meter.unpackedBytes;
}
