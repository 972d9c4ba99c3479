// A whole HTTP answer that ends its connection: on a response, or on a socket that HTTP no longer owns, as after an
// upgrade request. The client gets the answer even while its own bytes are still unread.
import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** An answer. `Content-Length` and `Connection: close` are added. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Longest time that a refused client may take to close, and the bytes that are read of it meanwhile. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 65_536;

/** Sends the answer; the connection ends with it. */
export function respondAndClose(response: ServerResponse, answer: HttpAnswer): void {
  response.writeHead(answer.status, headersOf(answer));
  response.end(answer.body ?? '');
}

/**
 * Sends the answer and ends this half of the connection. Then it reads up to 64 KB for 2 s, because closing a socket
 * with unread bytes resets it, and a reset can destroy the answer. A client that does not close in that time is cut.
 */
export function refuseSocket(duplex: Duplex, answer: HttpAnswer): void {
  if (duplex.destroyed) return;
  let bytes = 0;
  const cut = setTimeout(() => duplex.destroy(), LINGER_MS);
  duplex.once('close', () => clearTimeout(cut));
  duplex.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) duplex.pause();
  });
  duplex.end(textOf(answer));
}

function textOf(answer: HttpAnswer): string {
  const { status, body = '' } = answer;
  const headers = Object.entries(headersOf(answer)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${headers.join('')}\r\n${body}`;
}

function headersOf({ headers, body = '' }: HttpAnswer): Readonly<Record<string, string>> {
  return { ...headers, 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' };
}
