// Streams lost state from the admin port of a shard; holds none of it.
import { RestoreError } from './restore.ts';

const PATH = '/lost-state';
/** A shard answers at once; the rest of the time is for the network. */
const ANSWER_MS = 10_000;

/** Whether a source is a URL, not a file or standard input. */
export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/** The answer of `http://…` (the admin port, or a whole URL), until `cut`; rejects with a `RestoreError`. */
export async function fetchLost(source: string, cut: AbortController): Promise<AsyncIterable<Buffer>> {
  if (!URL.canParse(source)) throw new RestoreError(`${source} is not a URL`);
  const url = new URL(source);
  if (url.pathname === '/') url.pathname = PATH;
  const timer = setTimeout(() => cut.abort(), ANSWER_MS);
  try {
    const { status, body } = await fetch(url, { signal: cut.signal });
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
