// Why a replay ended early, in words for the person who started it.

export class ReplayError extends Error {
  readonly code = 'REPLAY_FAILED';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReplayError';
  }
}
