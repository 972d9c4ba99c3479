// Checks that bytes are strict JSON text: UTF-8 without a byte order mark, and only JSON.
import { isUtf8 } from 'node:buffer';
import type { Problem } from './message.ts';

/** The problem of `bytes` as JSON, or undefined. `what` names them in the message: "the body". */
export function jsonProblem(bytes: Buffer, what: string): Problem | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return { code: 'BYTE_ORDER_MARK', message: `${what} begins with a byte order mark; send plain UTF-8` };
  }
  if (!isUtf8(bytes)) return { code: 'NOT_UTF8', message: `${what} is not valid UTF-8` };
  // For valid UTF-8, Latin-1 gives the same verdict, and it is faster.
  const error = parseError(bytes, 'latin1');
  return error === undefined
    ? undefined
    : { code: 'NOT_JSON', message: `${what} is not valid JSON${whereNotJson(bytes, error)}` };
}

/** Where `bytes` stop being JSON, as the end of a sentence: ` (at byte 7)`; empty if unknown. */
export function whereNotJson(bytes: Buffer, error: string | undefined = parseError(bytes, 'latin1')): string {
  const position = /position (\d+)/.exec(error ?? '')?.[1];
  if (position !== undefined) return ` (at byte ${position})`;
  // Node gives no position if it quotes the text instead, which Latin-1 would garble.
  const quoting = parseError(bytes, 'utf8')?.replace(/ is not valid JSON$/, '');
  return quoting === undefined ? '' : `: ${quoting}`;
}

function parseError(bytes: Buffer, encoding: 'latin1' | 'utf8'): string | undefined {
  try {
    JSON.parse(bytes.toString(encoding));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}
