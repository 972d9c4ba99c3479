// The live feed of a stream: what the stream republishes to plain subscribers, as it is stored. Callbacks for nats.js must
// not throw, because what one throws ends the library's reading of the whole connection; and the place of a message in
// its stream is read from the bytes of its header block. It decides nothing.
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { StreamDefinition } from '@weir/protocol';
import type { Message } from '../lanes/message.ts';

/** Where the server tells news of streams; the rest of the subject says which news, and of which stream. */
const ADVISORIES = '$JS.EVENT.ADVISORY.STREAM';
/** Bytes of a message's content, where the server sends the headers alone. */
const SIZE = 'Nats-Msg-Size';

export interface FeedOptions {
  readonly connection: NatsConnection;
  readonly definition: StreamDefinition;
  /** The data subject behind a live subject. */
  readonly fromLive: (subject: string) => string;
  /** A message could not be read, or the server ended the subscription. */
  readonly onFault: (fault: unknown) => void;
  readonly take: (message: Message) => void;
  /** The stream has another leader or another configuration. */
  readonly changed: () => void;
}

/** Follows the feed until `stop`. */
export function followFeed(options: FeedOptions): { stop(): void } {
  const { connection, definition, fromLive, onFault, take, changed } = options;
  const subscription = connection.subscribe(definition.republish.dest, {
    callback: guarded((message) => {
      const placed = fromFeed(message, definition.name, fromLive);
      if (placed !== undefined) take(placed);
    }, onFault),
  });
  // If the server does not let the shard hear the news, the next look at the stream finds the change.
  const news = connection.subscribe(`${ADVISORIES}.*.${definition.name}`, {
    callback: guarded(changed, () => undefined),
  });
  return {
    stop: () => {
      subscription.unsubscribe();
      news.unsubscribe();
    },
  };
}

/** Makes a subscription's callback. Faults are what `take` throws, and the server's reason to end the subscription. */
export function guarded(
  take: (message: Msg) => void,
  onFault: (fault: unknown) => void,
): (error: Error | null, message: Msg) => void {
  return (error, message) => {
    try {
      if (error === null) take(message);
      else onFault(error);
    } catch (fault) {
      onFault(fault);
    }
  };
}

/** A republished message with its place; undefined if its headers are not those of this stream. */
function fromFeed(message: Msg, stream: string, fromLive: (subject: string) => string): Message | undefined {
  const { data } = message;
  const place = placeBefore(data) ?? placeIn(message.headers);
  if (place?.stream !== stream) return undefined;
  // Somebody has told the stream to republish headers alone: without its content it would be taken for a deletion.
  if (data.length === 0 && Number(message.headers?.last(SIZE) || 0) > 0) return undefined;
  const seq = Number(place.seq);
  const timeMs = Date.parse(place.time);
  if (!Number.isSafeInteger(seq) || seq <= 0) return undefined;
  return {
    seq,
    subject: fromLive(message.subject),
    data,
    timeMs: Number.isNaN(timeMs) ? Date.now() : timeMs,
  };
}

function placeIn(headers: MsgHdrs | undefined): Place | undefined {
  if (headers === undefined) return undefined;
  return {
    stream: headers.last('Nats-Stream'),
    seq: headers.last('Nats-Sequence'),
    time: headers.last('Nats-Time-Stamp'),
  };
}

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
 * first. Undefined if there is no such block, for example because the library keeps its bytes otherwise: the caller then reads
 * the library's own headers.
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
