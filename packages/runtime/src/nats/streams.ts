// Makes sure that JetStream streams are what a service needs, together with others that do the same.
import type { StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';

/** What a stream must be. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly storage: 'file' | 'memory';
  readonly maxMsgsPerSubject: number;
  /** Milliseconds; 0 keeps messages however old they are. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly duplicateWindowMs?: number;
  readonly discard: 'old' | 'new';
  readonly allowDirect: boolean;
  readonly republish?: { readonly src: string; readonly dest: string };
  readonly replicas: number;
  /** Limits that must be exactly these instead of at least these. */
  readonly exact?: readonly 'maxMsgsPerSubject'[];
}

/** A stream of somebody else is in the way; a person must decide. */
export class StreamConflictError extends Error {
  readonly code = 'STREAM_CONFLICT';
  readonly stream: string;

  constructor(stream: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StreamConflictError';
    this.stream = stream;
  }
}

/** The server has no JetStream for us. */
export class JetStreamDisabledError extends Error {
  readonly code = 'JETSTREAM_DISABLED';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JetStreamDisabledError';
  }
}

/** Creates or updates the streams; returns what they are, in the order of the definitions. */
export function ensureStreams(_options: {
  readonly connection: NatsConnection;
  readonly streams: readonly StreamDefinition[];
  readonly logger: Logger;
}): Promise<readonly StreamInfo[]> {
  return Promise.reject(new Error('not there yet'));
}
