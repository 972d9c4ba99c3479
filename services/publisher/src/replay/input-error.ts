// Why an input cannot be read, as a message for the user.

export class InputError extends Error {
  readonly code = 'INPUT_UNREADABLE';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InputError';
  }
}
