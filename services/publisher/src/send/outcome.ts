// What became of a message that was handed to NATS. The truth in five words; nothing may guess.

/** `unavailable` and `refused` are certain: not kept. `unknown` is honest: it may or may not have been kept. */
export type Outcome =
  | { readonly kind: 'kept'; readonly stream: string; readonly seq: number; readonly duplicate: boolean }
  /** Cosmetic: the server has it, nothing keeps it. */
  | { readonly kind: 'sent' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unknown' };
