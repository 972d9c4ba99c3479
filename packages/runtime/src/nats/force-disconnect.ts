// Uses an internal of the client library, which has no public way to drop a socket at once. Its public close writes to
// the socket and waits, and that never ends if the peer is gone and the buffers are full.
import type { NatsConnection } from '@nats-io/transport-node';

/** Destroys the socket of the connection; the library then reconnects. Does nothing without a socket. */
export function forceDisconnect(connection: NatsConnection): void {
  const socket = property(property(property(connection, 'protocol'), 'transport'), 'socket');
  const destroy = property(socket, 'destroy');
  if (typeof destroy === 'function') destroy.call(socket);
}

function property(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
}
