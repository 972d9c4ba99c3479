// Keeps one message of NATS from ending the reading of all others: an error that a callback of the client library
// throws (also the library's own callback for answers, which parses headers) ends its reading of the connection.
import type { NatsConnection } from '@nats-io/transport-node';

/** From now on a message whose handling throws is dropped, and `onDropped` is told. */
export function guardMessages(connection: NatsConnection, onDropped: (error: unknown) => void): void {
  const protocol = property(connection, 'protocol');
  const processMessage = property(protocol, 'processMsg');
  if (typeof protocol !== 'object' || protocol === null || typeof processMessage !== 'function') return;
  Reflect.set(protocol, 'processMsg', (message: unknown, data: unknown): void => {
    try {
      processMessage.call(protocol, message, data);
    } catch (error) {
      onDropped(error);
    }
  });
}

function property(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
}
