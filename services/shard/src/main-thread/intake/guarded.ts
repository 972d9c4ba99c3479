// Callbacks for nats.js that cannot throw: what one throws ends the library's reading of the whole connection, for good.
// It decides nothing; whoever gives the callback is told.
import type { Msg } from '@nats-io/transport-node';

/** Makes a subscription's callback. Faults are what `take` throws, and why the server ended the subscription. */
export function guarded(
  take: (message: Msg) => void,
  onFault: (fault: unknown) => void,
): (error: Error | null, message: Msg) => void {
  return (error, message) => {
    try {
      if (error === null) take(message);
      else onFault(error);
    } catch (fault) {
      onFault(fault);
    }
  };
}
