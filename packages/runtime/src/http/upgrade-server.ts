// An HTTP server for upgrades: bounded headers, bounded waiting, and an answer to what is no HTTP. It never keeps a
// socket that says nothing, and it does not listen: who makes it decides where sockets come from, and how many.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * What went wrong before there was a request: the label of a metric. `tooMany` and `acceptFailed` are counted by the
 * code that listens.
 */
export const CONNECTION_FAULTS = [
  'timeout',
  'headersTooLarge',
  'malformed',
  'tooMany',
  'acceptFailed',
] as const;
export type ConnectionFault = (typeof CONNECTION_FAULTS)[number];

/** What the server does. */
export interface UpgradeServerOptions {
  readonly headersTimeoutMs: number;
  /** A request that is no upgrade. */
  readonly onPlain: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, duplex: Duplex, head: Buffer) => void;
  readonly onFault: (fault: ConnectionFault) => void;
}

/** A token of 8 KB in a header, or in the URL beside a hint, fits. */
const maxHeaderBytes = 16_384;
const maxHeaderCount = 100;
/** For a request's body, which nobody reads: more than the headers take. */
const requestTimeoutMs = 60_000;
const keepAliveMs = 5_000;
/** How long a refused client may take to go, and what is read of it meanwhile. */
const lingerMs = 2_000;
const lingerBytes = 65_536;

const faults: Readonly<Record<string, readonly [ConnectionFault, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['timeout', '408 Request Timeout'],
  HPE_HEADER_OVERFLOW: ['headersTooLarge', '431 Request Header Fields Too Large'],
};

/** Makes the server; it has no socket yet. */
export function createUpgradeServer(o: UpgradeServerOptions): Server {
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: o.headersTimeoutMs,
    requestTimeout: Math.max(requestTimeoutMs, o.headersTimeoutMs),
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(1_000, o.headersTimeoutMs),
    noDelay: true,
  });
  server.maxHeadersCount = maxHeaderCount;
  server.on('request', (request, response) => {
    o.onPlain(request, response);
    request.resume();
  });
  server.on('upgrade', (request, duplex, head) => {
    // Until the WebSocket library takes over, nobody else would listen, and an unheard error ends the process.
    duplex.on('error', () => duplex.destroy());
    o.onUpgrade(request, duplex, head);
  });
  server.on('clientError', (error, duplex) => answerFault(error, duplex, o.onFault));
  return server;
}

/** Writes the last words and reads a little on, so that they are not lost to a reset; cuts a client that does not go. */
export function endKindly(duplex: Duplex, text: string): void {
  if (duplex.destroyed) return;
  let bytes = 0;
  const cut = setTimeout(() => duplex.destroy(), lingerMs);
  duplex.once('close', () => clearTimeout(cut));
  duplex.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > lingerBytes) duplex.pause();
  });
  duplex.end(text);
}

/** `code` is Node's own and is there on every such error but a few of the socket's. */
function answerFault(
  error: Error & { code?: string },
  duplex: Duplex,
  onFault: UpgradeServerOptions['onFault'],
): void {
  const code = error.code ?? '';
  if (code === 'ECONNRESET' || code === 'EPIPE' || !duplex.writable) {
    duplex.destroy();
    return;
  }
  const [fault, status] = faults[code] ?? (['malformed', '400 Bad Request'] as const);
  onFault(fault);
  endKindly(duplex, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
