// Where a republished message stands in its stream, read from the bytes of its header block. nats.js makes a map of
// lists of every message's headers, which costs a fifth of the intake; three of them are wanted.

/** What the server writes behind a publisher's own headers. */
export interface Place {
  readonly stream: string;
  readonly seq: string;
  readonly time: string;
}

const BEGIN = 'NATS/1.0\r\n';
/** Longest block that is looked for; one with more of a publisher's own headers is left to nats.js. */
const MAX_BYTES = 512;

/**
 * Reads the block in front of a message's data: nats.js hands out the data as a view into the bytes that came, headers
 * first. Nothing where no such block is there, however the library keeps its bytes: then its own headers have to do.
 */
export function placeBefore({ buffer, byteOffset }: Uint8Array): Place | undefined {
  const from = Math.max(0, byteOffset - MAX_BYTES);
  const text = Buffer.from(buffer, from, byteOffset - from).toString('latin1');
  const begin = text.lastIndexOf(BEGIN);
  if (begin < 0 || !text.endsWith('\r\n\r\n')) return undefined;
  const stream = headerIn(text, begin, '\r\nNats-Stream: ');
  const seq = headerIn(text, begin, '\r\nNats-Sequence: ');
  const time = headerIn(text, begin, '\r\nNats-Time-Stamp: ');
  if (stream === undefined || seq === undefined || time === undefined) return undefined;
  return { stream, seq, time };
}

/** The last one counts: the server's own come last. */
function headerIn(text: string, begin: number, name: string): string | undefined {
  const at = text.lastIndexOf(name);
  if (at < begin) return undefined;
  const from = at + name.length;
  return text.slice(from, text.indexOf('\r\n', from));
}
