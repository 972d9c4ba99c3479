// The outcome of a message that was passed to NATS: five values, none of them guessed.

/** `unavailable` and `refused` are certain: not kept. `unknown`: the message may or may not have been kept. */
export type Outcome =
  | { readonly kind: 'kept'; readonly stream: string; readonly seq: number; readonly duplicate: boolean }
  /** Cosmetic: the server has it, no stream keeps it. */
  | { readonly kind: 'sent' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unknown' };
