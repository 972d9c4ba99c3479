// Why a stream could not be created or updated: one class for each decision of the caller.

/** A foreign stream has the name or a subject. A person must rename or delete it, or change the prefix. */
export class StreamConflictError extends Error {
  readonly code = 'STREAM_CONFLICT';
  /** Name of the foreign stream. */
  readonly stream: string;

  constructor(stream: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StreamConflictError';
    this.stream = stream;
  }
}

/** The server, or our account on it, has no JetStream. */
export class JetStreamDisabledError extends Error {
  readonly code = 'JETSTREAM_DISABLED';

  constructor(options?: ErrorOptions) {
    super(
      'JetStream is not enabled on the NATS server or for this account: start nats-server with -js, or enable it for the account',
      options,
    );
    this.name = 'JetStreamDisabledError';
  }
}

/** The server refused, or did not answer in time. */
export class StreamSetupError extends Error {
  readonly code = 'STREAM_SETUP_FAILED';
  readonly stream: string;

  constructor(stream: string, reason: string, options?: ErrorOptions) {
    super(`the stream ${stream} could not be set up: ${reason}`, options);
    this.name = 'StreamSetupError';
    this.stream = stream;
  }
}
