// Where lost state comes from: the admin port of a shard, a file, or standard input. As it comes: nothing is held.
import { createReadStream } from 'node:fs';
import { RestoreError } from './restore.ts';

const PATH = '/lost-state';
/** A shard answers at once; the rest is the way to it. */
const ANSWER_MS = 10_000;

/** Opens `http://…` (the admin port, or a whole URL), `-`, or a file; rejects with a `RestoreError`. */
export async function openSource(
  source: string,
  stdin: AsyncIterable<Buffer>,
): Promise<AsyncIterable<Buffer>> {
  if (source === '-') return stdin;
  if (/^https?:\/\//i.test(source)) return fetched(source);
  return createReadStream(source);
}

async function fetched(source: string): Promise<AsyncIterable<Buffer>> {
  if (!URL.canParse(source)) throw new RestoreError(`${source} is not a URL`);
  const url = new URL(source);
  if (url.pathname === '/') url.pathname = PATH;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  try {
    const { status, body } = await fetch(url, { signal: late.signal });
    if (status !== 200 || body === null)
      throw new RestoreError(`${url.href} answers ${status}: is it the admin port of a shard?`);
    return piecesOf(body);
  } catch (cause) {
    if (cause instanceof RestoreError) throw cause;
    throw new RestoreError(`${url.href} does not answer`);
  } finally {
    clearTimeout(timer);
  }
}

async function* piecesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  try {
    for await (const piece of body) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  } catch {
    throw new RestoreError('the answer of the shard was cut off; restore again, which does no harm');
  }
}
