// The HTTP server of the router: it bounds headers, waiting time and sockets, refuses requests that are no upgrade, and
// passes upgrades on.
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionFault } from '@weir/runtime';
import { CLIENT_SETTINGS, createUpgradeServer, listenOn, Places, respondAndClose } from '@weir/runtime';
import type { Refusal } from './refusal.ts';
import { refusalAnswer } from './refusal.ts';

export interface ListenerOptions {
  readonly headersTimeoutMs: number;
  /** Above it clients are refused with an answer; 256 sockets above it the oldest socket without a request is cut. */
  readonly maxSockets: number;
  /** The most sockets that the process can hold. */
  readonly room: number;
  readonly onPlain: (request: IncomingMessage) => Refusal;
  readonly onUpgrade: (request: IncomingMessage, duplex: Duplex, head: Buffer) => void;
  readonly onFault: (fault: ConnectionFault) => void;
}

export interface Listener {
  readonly sockets: number;
  /** Whether there is room for a client with a request. A socket without a request may be cut for it. */
  hasRoom(): boolean;
  listen(port: number, host: string): Promise<AddressInfo>;
  /** Stops accepting; upgraded clients stay. */
  stop(): void;
}

/** Sockets above the limit that still get an answer. */
const refusalSockets = 256;

/** Creates the server; it does not listen yet. */
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
    // A long queue, so that the kernel does not drop the connections of a reconnect storm.
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
