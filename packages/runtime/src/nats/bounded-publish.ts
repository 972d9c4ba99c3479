// Core publishing with a bound: the library queues without a bound while a server does not read.
import type { NatsConnection, Payload, PublishOptions } from '@nats-io/transport-node';

/** The result for a message: given to the connection, or the reason why not. */
export type Published = 'sent' | 'disconnected' | 'overloaded';

/** Bytes of payload that may be on their way; beyond it publishing is refused. */
const maxPendingBytes = 8 * 1024 * 1024;
/** How often a round trip proves what has arrived; there is one at a time. */
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

  /** Publishes, unless too many bytes are on their way. */
  publish(subject: string, payload: Payload, options?: PublishOptions): Published {
    if (this.#connection.stats().outBytes - this.#provenBytes > maxPendingBytes) return 'overloaded';
    this.#connection.publish(subject, payload, options);
    if (!this.#proving && this.#connection.stats().outBytes - this.#provenBytes > proveEveryBytes) {
      void this.#prove();
    }
    return 'sent';
  }

  /** Bytes on their way when the connection broke are lost; counting starts from 0. */
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
