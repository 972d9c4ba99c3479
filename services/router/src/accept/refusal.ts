// The refusals: which there are, and how each is said before the upgrade, as HTTP with a JSON body.
// Must never contain anything that the client sent.
import { STATUS_CODES } from 'node:http';
import type { CloseName } from '@weir/protocol';

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

/** The JSON body of an answer. */
export function refusalBody({ code, message }: Refusal): string {
  return `${JSON.stringify({ error: { code, message } })}\n`;
}

/** The headers of an answer; the connection ends with it. */
export function refusalHeaders(refusal: Refusal): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(refusalBody(refusal))),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
    ...refusal.headers,
  };
}

/** The whole answer as bytes, for a socket that HTTP has let go of. */
export function refusalText(refusal: Refusal): string {
  const headers = Object.entries(refusalHeaders(refusal)).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? 'Refused'}\r\n`;
  return `${status}${headers.join('')}\r\n${refusalBody(refusal)}`;
}
