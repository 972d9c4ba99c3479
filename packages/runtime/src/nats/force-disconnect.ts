// Reaches into the client library for the one thing that its surface does not offer: dropping a socket now.
// Its own way out writes to the socket and waits, which never ends where the peer is gone and buffers are full.
import type { NatsConnection } from '@nats-io/transport-node';

/** Destroys the socket of the connection; the library then reconnects. Does nothing where there is none. */
export function forceDisconnect(connection: NatsConnection): void {
  const socket = property(property(property(connection, 'protocol'), 'transport'), 'socket');
  const destroy = property(socket, 'destroy');
  if (typeof destroy === 'function') destroy.call(socket);
}

function property(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
}
