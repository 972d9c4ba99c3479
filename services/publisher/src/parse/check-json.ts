// Whether bytes are strict JSON text at all: UTF-8 without a byte order mark, and nothing but JSON.
import { isUtf8 } from 'node:buffer';
import type { Problem } from './message.ts';

/** What is wrong with `bytes` as JSON, or nothing. `what` names them in the sentence: "the body". */
export function jsonProblem(bytes: Buffer, what: string): Problem | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return { code: 'BYTE_ORDER_MARK', message: `${what} begins with a byte order mark; send plain UTF-8` };
  }
  if (!isUtf8(bytes)) return { code: 'NOT_UTF8', message: `${what} is not valid UTF-8` };
  try {
    // Latin-1 gives the same verdict as UTF-8 on bytes that are valid UTF-8, and is faster.
    JSON.parse(bytes.toString('latin1'));
    return undefined;
  } catch (error) {
    const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    const where = position === undefined ? '' : ` (at byte ${position})`;
    return { code: 'NOT_JSON', message: `${what} is not valid JSON${where}` };
  }
}
