// Reads the lines of a file, plain or gzip, with bounded memory however large the file or a line is.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A line without its end; `bytes` is missing where it was too long. */
export interface Line {
  readonly number: number;
  readonly bytes: Buffer | undefined;
}

/** A file's lines and how far they are. */
export interface LineReader {
  readonly lines: AsyncIterable<Line>;
  /** 0 to 1, by the bytes of the file. */
  progress(): number;
}

/** Opens a file. Whether it is gzip is told by its first bytes, not by its name. */
export async function readLines(path: string, maxLineBytes: number): Promise<LineReader> {
  const { size, gzip } = await look(path);
  const file = createReadStream(path);
  let readBytes = 0;
  file.on('data', (chunk) => {
    readBytes += chunk.length;
  });
  // A broken file surfaces where the lines are read.
  const source = gzip ? pipeline(file, createGunzip(), () => undefined) : file;
  return {
    lines: splitLines(source, maxLineBytes),
    progress: () => (size === 0 ? 1 : Math.min(1, readBytes / size)),
  };
}

async function look(path: string): Promise<{ readonly size: number; readonly gzip: boolean }> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return { size, gzip: bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b };
  } finally {
    await handle.close();
  }
}

/** Splits chunks into lines; the last may lack its newline. */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<Line> {
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
    let from = 0;
    for (let newline = chunk.indexOf(0x0a); newline >= 0; newline = chunk.indexOf(0x0a, from)) {
      yield cut(chunk.subarray(from, newline));
      from = newline + 1;
    }
    const rest = chunk.subarray(from);
    // Of a line that is too long already, only the length is remembered.
    if (heldBytes + rest.length > maxLineBytes) held = [];
    else if (rest.length > 0) held.push(rest);
    heldBytes += rest.length;
  }
  if (heldBytes > 0) yield cut(Buffer.alloc(0));
}
