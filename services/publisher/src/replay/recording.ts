// Reads a recording line by line with bounded memory: NDJSON, plain or gzip.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

const GZIP_MAGIC = [0x1f, 0x8b];

/** A line with its number, counted from 1, and how far into the file it stands (0 to 1). */
export interface RecordedLine {
  readonly number: number;
  readonly text: string;
  readonly progress: number;
}

/** The lines that are not empty. Rejects where the file cannot be read or its gzip is broken. */
export async function* readRecording(path: string): AsyncGenerator<RecordedLine> {
  const file = await open(path);
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  await file.close();
  const source = createReadStream(path);
  const zipped = GZIP_MAGIC.every((byte, i) => buffer[i] === byte);
  const text = zipped ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => text.destroy(error));
  let number = 0;
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() !== '') yield { number, text: line, progress: size === 0 ? 1 : source.bytesRead / size };
  }
}
