// The one form of a message: HTTP, CLI, demo and replay create it, and the sender takes it.
import type { Address } from '@weir/protocol';

/** One message. `data` is the publisher's own JSON, byte for byte; empty deletes a state key. */
export interface Message {
  readonly address: Address;
  readonly data: Uint8Array;
  /** Makes resending safe: a stream keeps only the first of the same id within its window. */
  readonly id?: string;
}

/** Why a message was refused. Closed, since it is a metric label and part of the HTTP answers. */
export const PROBLEM_CODES = [
  'NOT_JSON',
  'NOT_UTF8',
  'BYTE_ORDER_MARK',
  'NOT_AN_OBJECT',
  'FIELD_UNKNOWN',
  'FIELD_DUPLICATE',
  'FIELD_MISSING',
  'FIELD_INVALID',
  'DATA_TOO_LARGE',
  'DATA_TOO_DEEP',
  'DATA_NUMBER',
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** A refusal: the code for programs, the sentence for people. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
}
