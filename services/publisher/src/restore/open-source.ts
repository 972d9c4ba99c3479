// Where lost state comes from: the admin port of a shard, a file, or standard input. As it comes: nothing is held.
import { openInput } from '../replay/open-input.ts';
import type { Line } from '../replay/read-lines.ts';
import { readLines, splitLines } from '../replay/read-lines.ts';
import { RestoreError } from './restore.ts';

const PATH = '/lost-state';
/** A shard answers at once; the rest is the way to it. */
const ANSWER_MS = 10_000;

interface Source {
  readonly lines: AsyncIterable<Line>;
  /** Ends what is being read. */
  close(): void;
}

/**
 * Opens `http://…` (the admin port, or a whole URL), `-`, or a file, packed or not. Rejects with a `RestoreError`, or
 * an `InputError` of the file.
 */
export async function openSource(source: string, maxLineBytes: number): Promise<Source> {
  if (!/^https?:\/\//i.test(source)) {
    const input = openInput(source);
    return { lines: readLines(input, maxLineBytes).lines, close: () => input.close() };
  }
  const cut = new AbortController();
  return { lines: splitLines(await fetched(source, cut), maxLineBytes), close: () => cut.abort() };
}

async function fetched(source: string, cut: AbortController): Promise<AsyncIterable<Buffer>> {
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
