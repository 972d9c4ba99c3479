// Why an input cannot be read, in words for the person who named it.

export class InputError extends Error {
  readonly code = 'INPUT_UNREADABLE';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InputError';
  }
}
