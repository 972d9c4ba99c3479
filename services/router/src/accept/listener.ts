// The HTTP server in front: bounded headers, bounded waiting, bounded sockets. Refuses what cannot be a client and
// hands upgrades on. Must never keep a socket that says nothing.
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Refusal } from './refusal.ts';
import { refusalBody, refusalHeaders, refusalText } from './refusal.ts';

/** What went wrong before there was a request. */
export type ListenerFault = 'timeout' | 'headersTooLarge' | 'malformed' | 'tooMany';

/** What the server is made of. */
export interface ListenerOptions {
  readonly headersTimeoutMs: number;
  /** The rungs above are asked at `maxSockets`; a few more get an answer, the rest is dropped by the kernel side. */
  readonly maxSockets: number;
  readonly onPlain: (request: IncomingMessage) => Refusal;
  readonly onUpgrade: (request: IncomingMessage, duplex: Duplex, head: Buffer) => void;
  readonly onFault: (fault: ListenerFault) => void;
}

/** A running server. */
export interface Listener {
  readonly sockets: number;
  listen(port: number, host: string): Promise<AddressInfo>;
  /** Stops accepting; what is upgraded goes on. */
  stop(): void;
}

/** A token of 8 KB in a header, or in the URL beside a hint, fits. */
const maxHeaderBytes = 16_384;
const maxHeaderCount = 100;
/** Sockets above the limit that still get an answer in words. */
const refusalSockets = 256;
/** For a request's body, which nobody reads: more than the headers take. */
const requestTimeoutMs = 60_000;
const keepAliveMs = 5_000;
/** How long a refused client may take to go. */
const lingerMs = 2_000;

const faults: Readonly<Record<string, readonly [ListenerFault, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['timeout', '408 Request Timeout'],
  HPE_HEADER_OVERFLOW: ['headersTooLarge', '431 Request Header Fields Too Large'],
};

/** Makes the server; it does not listen yet. */
export function createListener(o: ListenerOptions): Listener {
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: o.headersTimeoutMs,
    requestTimeout: Math.max(requestTimeoutMs, o.headersTimeoutMs),
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(1_000, o.headersTimeoutMs),
    noDelay: true,
  });
  let sockets = 0;
  server.maxHeadersCount = maxHeaderCount;
  server.maxConnections = o.maxSockets + refusalSockets;
  server.on('connection', (socket) => {
    sockets += 1;
    socket.once('close', () => {
      sockets -= 1;
    });
  });
  server.on('drop', () => o.onFault('tooMany'));
  server.on('request', (request, response) => {
    const refusal = o.onPlain(request);
    response.writeHead(refusal.status, { ...refusalHeaders(refusal) });
    response.end(refusalBody(refusal));
    request.resume();
  });
  server.on('upgrade', (request, duplex, head) => {
    // Until the WebSocket library takes over, nobody else would listen, and an unheard error ends the process.
    duplex.on('error', () => duplex.destroy());
    o.onUpgrade(request, duplex, head);
  });
  server.on('clientError', (error, duplex) => answerFault(error, duplex, o.onFault));
  return {
    get sockets() {
      return sockets;
    },
    listen: (port, host) => listen(server, port, host),
    stop() {
      server.close();
      server.closeIdleConnections();
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Error(`the router cannot listen on ${host} port ${port}`, { cause }));
    });
    // The longest queue that the kernel allows: a reconnect storm must not be dropped before it is judged.
    server.listen({ port, host, backlog: 4_096 }, () => {
      server.removeAllListeners('error');
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address);
      else reject(new Error('the router listens on no port'));
    });
  });
}

/** `code` is Node's own and is there on every such error but a few of the socket's. */
function answerFault(
  error: Error & { code?: string },
  duplex: Duplex,
  onFault: ListenerOptions['onFault'],
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

/** Refuses an upgrade by an HTTP answer. */
export function refuseUpgrade(duplex: Duplex, refusal: Refusal): void {
  endKindly(duplex, refusalText(refusal));
}

/** Writes the last words and keeps reading, so that they are not lost to a reset; cuts who does not go. */
function endKindly(duplex: Duplex, text: string): void {
  if (duplex.destroyed) return;
  const cut = setTimeout(() => duplex.destroy(), lingerMs);
  duplex.once('close', () => clearTimeout(cut));
  duplex.resume();
  duplex.end(text);
}
