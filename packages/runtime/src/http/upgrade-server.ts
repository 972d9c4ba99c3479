// An HTTP server for upgrades: it bounds headers and waiting time, answers bytes that are not HTTP, and closes a socket
// that sends nothing. It does not listen: the caller decides where sockets come from, and how many.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseSocket } from './answer.ts';

/**
 * Why a connection never became a request: the label of a metric. The code that listens counts `tooMany` and
 * `acceptFailed`.
 */
export const CONNECTION_FAULTS = [
  'timeout',
  'headersTooLarge',
  'malformed',
  'tooMany',
  'acceptFailed',
] as const;
export type ConnectionFault = (typeof CONNECTION_FAULTS)[number];

export interface UpgradeServerOptions {
  /** Longest time from connecting to the end of the request headers. */
  readonly headersTimeoutMs: number;
  /** A request that is not an upgrade. */
  readonly onPlain: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, duplex: Duplex, head: Buffer) => void;
  readonly onFault: (fault: ConnectionFault) => void;
}

/** Fits a token of 8 KB in a header, or in the URL beside a hint. */
const maxHeaderBytes = 16_384;
const maxHeaderCount = 100;
/** For a request's body, which the server discards; longer than the headers may take. */
const requestTimeoutMs = 60_000;
const keepAliveMs = 5_000;

const faults: Readonly<Record<string, readonly [ConnectionFault, number]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['timeout', 408],
  HPE_HEADER_OVERFLOW: ['headersTooLarge', 431],
};

/** Creates the server; it does not listen. */
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
    // Until the WebSocket library takes over there is no other listener, and an error without one ends the process.
    duplex.on('error', () => duplex.destroy());
    o.onUpgrade(request, duplex, head);
  });
  server.on('clientError', (error, duplex) => answerFault(error, duplex, o.onFault));
  return server;
}

/** `code` is Node's own; a few errors of the socket have none. */
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
  const [fault, status] = faults[code] ?? (['malformed', 400] as const);
  onFault(fault);
  refuseSocket(duplex, { status });
}
