// Parses a request's body into its messages, in their order. A problem of the whole body refuses the whole body; a
// problem of one message refuses that message only.
import { jsonProblem } from './check-json.ts';
import type { Message, Problem } from './message.ts';
import type { Parsed } from './parse-message.ts';
import { parseMessage } from './parse-message.ts';
import { elementsOf, membersOf, trimmed } from './raw-json.ts';

/** The two forms of a body. */
export type BodyFormat = 'json' | 'ndjson';

/** A body's messages; `single` if it was one object, which gets a single result as its answer. */
export interface Batch {
  readonly single: boolean;
  readonly messages: readonly Parsed<Message>[];
}

/** Why a whole body was refused. */
export type BatchProblem =
  | Problem
  | { readonly code: 'EMPTY' | 'TOO_MANY_MESSAGES'; readonly message: string };

/** Parses `{…}`, `[{…},…]`, `{"messages":[{…},…]}`, or one message per line. */
export function parseBatch(
  body: Buffer,
  { format, maxMessages }: { readonly format: BodyFormat; readonly maxMessages: number },
): Batch | { readonly problem: BatchProblem } {
  const parts =
    format === 'json' ? jsonParts(body, maxMessages) : { single: false, texts: lines(body, maxMessages) };
  if ('problem' in parts) return parts;
  const { single, texts } = parts;
  if (texts.length === 0) return { problem: { code: 'EMPTY', message: 'there is no message in the body' } };
  if (texts.length > maxMessages) {
    const message = `the body has more than ${maxMessages} messages`;
    return { problem: { code: 'TOO_MANY_MESSAGES', message } };
  }
  return { single, messages: texts.map(parseMessage) };
}

function jsonParts(
  body: Buffer,
  max: number,
): { readonly single: boolean; readonly texts: readonly Buffer[] } | { readonly problem: BatchProblem } {
  if (body.length === 0) return { problem: { code: 'EMPTY', message: 'the body is empty' } };
  const broken = jsonProblem(body, 'the body');
  if (broken !== undefined) return { problem: broken };
  const elements = elementsOf(body, max);
  if (elements !== undefined) return { single: false, texts: elements };
  const members = membersOf(body);
  const [first] = members ?? [];
  if (first?.name !== 'messages') return { single: true, texts: [body] };
  if (members?.length !== 1) {
    return { problem: { code: 'FIELD_UNKNOWN', message: '"messages" must be the only field of its object' } };
  }
  const batch = elementsOf(first.value, max);
  if (batch !== undefined) return { single: false, texts: batch };
  return { problem: { code: 'FIELD_INVALID', message: '"messages" must be an array of messages' } };
}

/** The lines with more than white space; at most one more than `max`. */
function lines(body: Buffer, max: number): readonly Buffer[] {
  const found: Buffer[] = [];
  let from = 0;
  while (from < body.length && found.length <= max) {
    const newline = body.indexOf(0x0a, from);
    const to = newline < 0 ? body.length : newline;
    const line = trimmed(body.subarray(from, to));
    if (line.length > 0) found.push(line);
    from = to + 1;
  }
  return found;
}
