// Core publishing with a bound: the library itself queues without one while a server does not read.
import type { NatsConnection, Payload, PublishOptions } from '@nats-io/transport-node';

/** What became of a message: handed to the connection, or not and why. */
export type Published = 'sent' | 'disconnected' | 'overloaded';

/** How much may be on its way, in bytes of payload, before publishing is refused. */
const maxPendingBytes = 8 * 1024 * 1024;
/** How often a round trip proves what has arrived; one at a time. */
const proveEveryBytes = 64 * 1024;

/**
 * Pending = bytes published − bytes before the last answered round trip: the same measure as for clients,
 * which sees through kernel buffers.
 */
export class BoundedPublish {
  readonly #connection: NatsConnection;
  #provenBytes = 0;
  #proving = false;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Publishes unless too much is on its way. */
  publish(subject: string, payload: Payload, options?: PublishOptions): Published {
    if (this.#connection.stats().outBytes - this.#provenBytes > maxPendingBytes) return 'overloaded';
    this.#connection.publish(subject, payload, options);
    if (!this.#proving && this.#connection.stats().outBytes - this.#provenBytes > proveEveryBytes) {
      void this.#prove();
    }
    return 'sent';
  }

  /** What was on its way when the connection broke is gone; counting starts anew. */
  reconnected(): void {
    this.#provenBytes = this.#connection.stats().outBytes;
  }

  async #prove(): Promise<void> {
    const sentBytes = this.#connection.stats().outBytes;
    this.#proving = true;
    try {
      await this.#connection.flush();
      this.#provenBytes = Math.max(this.#provenBytes, sentBytes);
    } catch {
      // The connection broke; `reconnected` will settle the count.
    } finally {
      this.#proving = false;
    }
  }
}
