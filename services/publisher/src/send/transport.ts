// The sender's interface to NATS, and its implementation on a real connection. Turns the client library's errors into
// outcomes; never retries.
import type { JetStreamClient } from '@nats-io/jetstream';
import { JetStreamApiError, jetstream } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import type { NatsLink } from '@weir/runtime';
import type { Outcome } from './outcome.ts';

/** One message in NATS' terms. */
export interface Envelope {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly id?: string | undefined;
}

/** Two ways to publish. Both pass the bytes on before they return; the promises never reject. */
export interface Transport {
  readonly connected: boolean;
  /** Waits for the acknowledgement of the stream. */
  publishKept(envelope: Envelope, timeoutMs: number): Promise<Outcome>;
  /** Waits until the server has read it. */
  publishPlain(envelope: Envelope): Promise<Outcome>;
  onDisconnected(listener: () => void): void;
}

/** The transport over a link; before its first connection everything is `unavailable`. */
export function natsTransport(link: NatsLink): Transport {
  let client: JetStreamClient | undefined;
  const unavailable: Outcome = { kind: 'unavailable' };
  return {
    get connected() {
      return link.connected;
    },
    publishKept({ subject, data, id }, timeoutMs) {
      const connection = link.connection;
      if (connection === undefined) return Promise.resolve(unavailable);
      client ??= jetstream(connection);
      const options = { timeout: timeoutMs, ...(id === undefined ? {} : { msgID: id }) };
      return client
        .publish(subject, data, options)
        .then(({ stream, seq, duplicate }) => ({ kind: 'kept', stream, seq, duplicate }), outcomeOf);
    },
    async publishPlain({ subject, data }) {
      const connection = link.connection;
      if (connection === undefined) return unavailable;
      try {
        connection.publish(subject, data);
        await connection.flush();
        return { kind: 'sent' };
      } catch (error) {
        return outcomeOf(error);
      }
    },
    onDisconnected(listener) {
      link.onStatus((status) => {
        if (status === 'disconnected') listener();
      });
    },
  };
}

/** A full stream also answers 503, with a code for a failed store; waiting does not help. */
const storeFailed = 10077;

/** The outcome that an error of the client library implies; certain only if the error is. */
export function outcomeOf(error: unknown): Outcome {
  // The subject has no listener, so no stream has it; or JetStream is off.
  // (The library does not export the class.)
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') return { kind: 'unavailable' };
  if (error instanceof JetStreamApiError) {
    // 503: the stream has no leader or no resources now. Otherwise its limits refuse the message.
    const later = error.status === 503 && error.code !== storeFailed;
    return later ? { kind: 'unavailable' } : { kind: 'refused', message: error.message };
  }
  const reason = error instanceof errors.RequestError && error.cause !== undefined ? error.cause : error;
  if (reason instanceof errors.PermissionViolationError) {
    return { kind: 'refused', message: 'NATS does not permit publishing on this subject' };
  }
  if (reason instanceof errors.InvalidArgumentError) return { kind: 'refused', message: reason.message };
  if (reason instanceof errors.ClosedConnectionError || reason instanceof errors.DrainingConnectionError) {
    return { kind: 'unavailable' };
  }
  return { kind: 'unknown' };
}
