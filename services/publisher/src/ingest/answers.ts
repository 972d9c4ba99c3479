// What a publish request is answered: one result a message, in the order of the request. Pure.
import type { Message } from '../parse/message.ts';
import type { Parsed } from '../parse/parse-message.ts';
import type { Outcome } from '../send/outcome.ts';

/** The truth about one message. `kept` is false only where that is certain. */
export type LineResult =
  | { readonly ok: true; readonly stream: string; readonly seq: number; readonly duplicate?: true }
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly kept: false | 'unknown';
      readonly error: { readonly code: string; readonly message: string };
    };

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds?: number;
}

/** What is said of a message that was handed over. */
export function sentResult(outcome: Outcome): LineResult {
  switch (outcome.kind) {
    case 'kept':
      return {
        ok: true,
        stream: outcome.stream,
        seq: outcome.seq,
        ...(outcome.duplicate ? { duplicate: true } : {}),
      };
    case 'sent':
      return { ok: true };
    case 'unavailable':
      return failed('NATS_UNAVAILABLE', 'NATS is away; nothing was kept, send it again later');
    case 'refused':
      return failed('REFUSED', outcome.message);
    case 'unknown':
      return {
        ok: false,
        kept: 'unknown',
        error: {
          code: 'NO_ACKNOWLEDGEMENT',
          message: 'NATS did not answer in time; it may or may not have been kept',
        },
      };
  }
}

/** What is said of a message that was not even a message. */
export function invalidResult(parsed: Extract<Parsed<Message>, { problem: unknown }>): LineResult {
  return failed(parsed.problem.code, parsed.problem.message);
}

function failed(code: string, message: string): LineResult {
  return { ok: false, kept: false, error: { code, message } };
}

/**
 * One message is answered by its own result: 200, 400 (what it is), 503 (NATS). A batch is answered 200 where
 * everything was kept, 503 where nothing was and NATS is why, 207 otherwise, with a result a line.
 */
export function answerOf(single: boolean, results: readonly LineResult[]): Answer {
  const [first] = results;
  const away = (result: LineResult): boolean =>
    !result.ok && ['NATS_UNAVAILABLE', 'NO_ACKNOWLEDGEMENT'].includes(result.error.code);
  if (single && first !== undefined) {
    if (first.ok) return { status: 200, body: first };
    return away(first) ? { status: 503, body: first, retryAfterSeconds: 1 } : { status: 400, body: first };
  }
  const kept = results.filter((result) => result.ok).length;
  const body = { kept, results };
  if (kept === results.length) return { status: 200, body };
  return results.every(away) ? { status: 503, body, retryAfterSeconds: 1 } : { status: 207, body };
}
