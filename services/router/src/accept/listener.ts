// The HTTP server in front: bounded headers, bounded waiting, bounded sockets. Refuses what cannot be a client and
// hands upgrades on.
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionFault } from '@weir/runtime';
import { CLIENT_SETTINGS, createUpgradeServer, listenOn, Places, respondAndClose } from '@weir/runtime';
import type { Refusal } from './refusal.ts';
import { refusalAnswer } from './refusal.ts';

/** What the server is made of. */
export interface ListenerOptions {
  readonly headersTimeoutMs: number;
  /** The rungs above are asked at `maxSockets`; a few more get an answer, then the oldest that asks nothing goes. */
  readonly maxSockets: number;
  /** No more than that in any case. */
  readonly room: number;
  readonly onPlain: (request: IncomingMessage) => Refusal;
  readonly onUpgrade: (request: IncomingMessage, duplex: Duplex, head: Buffer) => void;
  readonly onFault: (fault: ConnectionFault) => void;
}

/** A running server. */
export interface Listener {
  readonly sockets: number;
  /** Whether there is a place for a client that has said what it wants; a socket that has not may go for it. */
  hasRoom(): boolean;
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
    onPlain: (request, response) => respondAndClose(response, refusalAnswer(o.onPlain(request))),
    onUpgrade: o.onUpgrade,
    onFault: o.onFault,
  });
  const max = Math.min(o.maxSockets + refusalSockets, o.room);
  const places = new Places(server, { max, onCut: () => o.onFault('tooMany') });
  return {
    get sockets() {
      return places.open;
    },
    hasRoom: () => places.open <= o.maxSockets || places.makeRoom(),
    // The longest queue that the kernel allows: a reconnect storm must not be dropped before it is judged.
    listen: (port, host) =>
      listenOn(server, {
        host,
        port,
        what: 'the router',
        settings: CLIENT_SETTINGS,
        backlog: 4_096,
        onFault: () => o.onFault('acceptFailed'),
      }),
    stop() {
      server.close();
      server.closeIdleConnections();
    },
  };
}
