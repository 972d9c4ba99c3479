// The HTTP server in front: bounded headers, bounded waiting, bounded sockets. Refuses what cannot be a client and
// hands upgrades on.
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionFault } from '@weir/runtime';
import { createUpgradeServer, endKindly } from '@weir/runtime';
import type { Refusal } from './refusal.ts';
import { refusalBody, refusalHeaders, refusalText } from './refusal.ts';

/** What the server is made of. */
export interface ListenerOptions {
  readonly headersTimeoutMs: number;
  /** The rungs above are asked at `maxSockets`; a few more get an answer, the rest is dropped by the kernel side. */
  readonly maxSockets: number;
  readonly onPlain: (request: IncomingMessage) => Refusal;
  readonly onUpgrade: (request: IncomingMessage, duplex: Duplex, head: Buffer) => void;
  readonly onFault: (fault: ConnectionFault) => void;
}

/** A running server. */
export interface Listener {
  readonly sockets: number;
  listen(port: number, host: string): Promise<AddressInfo>;
  /** Stops accepting; what is upgraded goes on. */
  stop(): void;
}

/** Sockets above the limit that still get an answer in words. */
const refusalSockets = 256;

/** Makes the server; it does not listen yet. */
export function createListener(o: ListenerOptions): Listener {
  const server = createUpgradeServer({
    headersTimeoutMs: o.headersTimeoutMs,
    onPlain: (request, response) => {
      const refusal = o.onPlain(request);
      response.writeHead(refusal.status, { ...refusalHeaders(refusal) });
      response.end(refusalBody(refusal));
    },
    onUpgrade: o.onUpgrade,
    onFault: o.onFault,
  });
  let sockets = 0;
  server.maxConnections = o.maxSockets + refusalSockets;
  server.on('connection', (socket) => {
    sockets += 1;
    socket.once('close', () => {
      sockets -= 1;
    });
  });
  server.on('drop', () => o.onFault('tooMany'));
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

/** Refuses an upgrade by an HTTP answer. */
export function refuseUpgrade(duplex: Duplex, refusal: Refusal): void {
  endKindly(duplex, refusalText(refusal));
}
