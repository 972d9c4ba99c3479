// The refusals: which there are, and how each is said before the upgrade, as HTTP with a JSON body.
// Must never contain anything that the client sent.
import type { CloseName } from '@weir/protocol';
import type { HttpAnswer } from '@weir/runtime';

/** Why a client was refused; the label of a metric. */
export const REFUSAL_REASONS = [
  'path',
  'method',
  'upgrade',
  'handshake',
  'query',
  'origin',
  'rate',
  'room',
  'token',
  'keys',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** One refusal, in words for people and in codes for programs. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly status: number;
  /** Constant, upper case: what a program compares. */
  readonly code: string;
  /** A sentence that says what to do. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How it is said instead to a client that offered `weir.v1`, since browsers cannot see an HTTP answer. */
  readonly close?: CloseName;
}

/** The refusal as an HTTP answer, with a JSON body. */
export function refusalAnswer({ status, code, message, headers }: Refusal): HttpAnswer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: `${JSON.stringify({ error: { code, message } })}\n`,
  };
}
