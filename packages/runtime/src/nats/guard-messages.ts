// Isolates the handling of one NATS message from all others: if a callback throws (also the library's own callback for
// answers, which parses headers), the client library stops reading the connection.
import type { NatsConnection } from '@nats-io/transport-node';

/** From now on a message whose callback throws is dropped, and `onDropped` is called. */
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
