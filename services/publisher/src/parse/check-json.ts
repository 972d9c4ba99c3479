// Checks that bytes are strict JSON text: UTF-8 without a byte order mark, and only JSON.
import { isUtf8 } from 'node:buffer';
import type { Problem } from './message.ts';

/** The problem of `bytes` as JSON, or undefined. `what` names them in the message: "the body". */
export function jsonProblem(bytes: Buffer, what: string): Problem | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return { code: 'BYTE_ORDER_MARK', message: `${what} begins with a byte order mark; send plain UTF-8` };
  }
  if (!isUtf8(bytes)) return { code: 'NOT_UTF8', message: `${what} is not valid UTF-8` };
  try {
    // For valid UTF-8, Latin-1 gives the same verdict, and it is faster.
    JSON.parse(bytes.toString('latin1'));
    return undefined;
  } catch (error) {
    const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    const where = position === undefined ? '' : ` (at byte ${position})`;
    return { code: 'NOT_JSON', message: `${what} is not valid JSON${where}` };
  }
}
