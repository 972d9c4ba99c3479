// Unpacks gzip and zstd as it comes, with bounded memory. Returns the data before damaged data, except up to 16 KB
// that the unpacker holds at that moment.
import { pipeline } from 'node:stream';
import * as zlib from 'node:zlib';
import { InputError } from './input-error.ts';
import { readAll } from './read-all.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** Whether this Node can unpack zstd: from 22.15 on. */
export const hasZstd: boolean = zstdEngine() !== undefined;

/**
 * The unpacked bytes; throws an `InputError` if the packed ones are damaged or cut off. `taken` gets the number of
 * packed bytes behind the chunks so far, which is less than the number of bytes read ahead.
 */
export async function* unpack(
  form: 'gzip' | 'zstd',
  packed: AsyncIterable<Buffer>,
  taken: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const engine = form === 'gzip' ? zlib.createGunzip() : zstdEngine();
  if (engine === undefined) throw new InputError('this Node does not unpack zstd');
  const frames = form === 'zstd' ? new ZstdFrames() : undefined;
  // A failure surfaces at the reader of the bytes.
  pipeline(frames === undefined ? packed : followed(packed, frames), engine, () => undefined);
  try {
    for await (const chunk of readAll(engine)) {
      taken(engine.bytesWritten);
      yield chunk;
    }
    if (frames?.whole === false) throw new InputError(cutOff(form));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(whyNotUnpacked(form, error), { cause: error });
  }
}

async function* followed(packed: AsyncIterable<Buffer>, frames: ZstdFrames): AsyncGenerator<Buffer> {
  for await (const chunk of packed) {
    yield* frames.cut(chunk);
  }
}

function cutOff(form: string): string {
  return `the ${form} data ends too early: it is cut off`;
}

function whyNotUnpacked(form: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /unexpected end/.test(message) ? cutOff(form) : `the ${form} data is damaged (${message})`;
}

/** The types are those of Node 20, which has no zstd. */
function zstdEngine(): zlib.Gunzip | undefined {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  return typeof create === 'function' ? create() : undefined;
}
