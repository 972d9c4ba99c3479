// Builds HTTP answers from the outcomes of messages. Pure; never reports a better outcome than the real one.
import type { Message, ProblemCode } from '../parse/message.ts';
import type { BatchProblem } from '../parse/parse-batch.ts';
import type { Parsed } from '../parse/parse-message.ts';
import type { Outcome } from '../send/outcome.ts';
import type { Refusal } from './refusals.ts';
import { refusals } from './refusals.ts';

/** A complete answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Why one message was not kept, or is not known to be kept. */
export type FailureCode = ProblemCode | 'NATS_UNAVAILABLE' | 'NO_ACKNOWLEDGEMENT' | 'REFUSED';

/** The result of one message. `kept` is false only if that is certain. */
export type MessageResult =
  | { readonly ok: true; readonly stream?: string; readonly seq?: number; readonly duplicate?: true }
  | {
      readonly ok: false;
      readonly kept: false | 'unknown';
      readonly error: { readonly code: FailureCode; readonly message: string };
    };

/** Default of `Retry-After`, in seconds. */
const retryAfterS = 1;

/** The result of a message: its own problem, or its outcome. */
export function resultOf(parsed: Parsed<Message>, outcome: Outcome | undefined): MessageResult {
  if ('problem' in parsed) return { ok: false, kept: false, error: parsed.problem };
  switch (outcome?.kind) {
    case 'kept': {
      const { stream, seq, duplicate } = outcome;
      return { ok: true, stream, seq, ...(duplicate ? { duplicate } : {}) };
    }
    case 'sent':
      return { ok: true };
    case 'refused':
      return failed(false, 'REFUSED', `NATS refused it: ${outcome.message}`);
    case 'unavailable':
      return failed(false, 'NATS_UNAVAILABLE', 'NATS is away: it was not kept; send it again later');
    case 'unknown':
    case undefined:
      return failed(
        'unknown',
        'NO_ACKNOWLEDGEMENT',
        'NATS did not answer in time: it may or may not have been kept; resending it with the same id is safe',
      );
  }
}

function failed(kept: false | 'unknown', code: FailureCode, message: string): MessageResult {
  return { ok: false, kept, error: { code, message } };
}

/** The answer to a single message: its result. */
export function answerOne(result: MessageResult): Answer {
  return json(result.ok ? 200 : statusOf(result.error.code), result);
}

/**
 * The answer to a batch, one result per message in their order. 200: all are kept. 207: some are not, read the results.
 * If none is kept: 503 if sending again may help for one of them, else 400.
 */
export function answerBatch(results: readonly MessageResult[]): Answer {
  const codes = results.flatMap((result) => (result.ok ? [] : [result.error.code]));
  const kept = results.length - codes.length;
  const duplicates = results.filter((result) => result.ok && result.duplicate === true).length;
  const counts = duplicates === 0 ? { kept } : { kept, duplicates };
  return json(batchStatus(kept, codes), { ...counts, results });
}

function batchStatus(kept: number, codes: readonly FailureCode[]): number {
  if (codes.length === 0) return 200;
  if (kept > 0) return 207;
  return codes.some((code) => statusOf(code) >= 500) ? 503 : 400;
}

function statusOf(code: FailureCode): number {
  if (code === 'NATS_UNAVAILABLE' || code === 'NO_ACKNOWLEDGEMENT') return 503;
  if (code === 'REFUSED') return 502;
  return code === 'DATA_TOO_LARGE' ? 413 : 400;
}

/** The answer to a body that was refused as a whole. */
export function answerProblem({ code, message }: BatchProblem): Answer {
  return json(code === 'TOO_MANY_MESSAGES' ? 413 : 400, { error: { code, message } });
}

/** The answer to a request that was refused. */
export function answerRefusal({ code, message, retryAfterS: seconds }: Refusal): Answer {
  const row = refusals[code];
  const answer = json(row.status, { error: { code, message: message ?? row.message } });
  const extra = {
    ...(row.retry ? { 'retry-after': String(seconds ?? retryAfterS) } : {}),
    ...(row.status === 405 ? { allow: 'POST' } : {}),
    ...(row.status === 401 ? { 'www-authenticate': 'Bearer realm="weir"' } : {}),
  };
  return { ...answer, headers: { ...answer.headers, ...extra } };
}

function json(status: number, value: unknown): Answer {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 503 ? { 'retry-after': String(retryAfterS) } : {}),
  };
  return { status, headers, body: `${JSON.stringify(value)}\n` };
}
