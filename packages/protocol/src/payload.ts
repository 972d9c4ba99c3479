// What may be published: strict UTF-8, no byte order mark, valid JSON, bounded in size and depth.
// Judges bytes and never changes them: a value reaches clients byte for byte (case A3).
import { isUtf8 } from 'node:buffer';
import { limits } from './limits.ts';

/** What a payload is: fit to be sent, `empty` (in the state lane: delete the key), or why it is neither. */
export type PayloadVerdict = 'ok' | 'empty' | 'tooLarge' | 'notUtf8' | 'bom' | 'notJson' | 'tooDeep';

/** Tighter bounds than the protocol's, where a service is configured so. */
export interface PayloadBounds {
  readonly messageBytes: number;
  readonly depth: number;
}

/** Judges a published payload. Whitespace alone is `notJson`: only what has no byte at all is `empty`. */
export function validatePayload(bytes: Uint8Array, bounds: PayloadBounds = limits): PayloadVerdict {
  if (bytes.length === 0) return 'empty';
  if (bytes.length > bounds.messageBytes) return 'tooLarge';
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'bom';
  if (!isUtf8(bytes)) return 'notUtf8';
  // Latin-1 instead of UTF-8: outside strings every byte above 0x7F is wrong in both readings, inside
  // strings every one is right in both, and one-byte strings are made and parsed several times faster.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  try {
    JSON.parse(text);
  } catch {
    return 'notJson';
  }
  return deeperThan(bytes, bounds.depth) ? 'tooDeep' : 'ok';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether valid JSON nests arrays and objects deeper than `depth`: `[]` is 1 deep, `1` is 0. */
function deeperThan(json: Uint8Array, depth: number): boolean {
  // Every level takes two bytes, so what is this short cannot be too deep.
  if (json.length <= depth * 2) return false;
  let open = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i];
    if (quoted) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      open += 1;
      if (open > depth) return true;
    } else if (byte === 0x5d || byte === 0x7d) open -= 1;
  }
  return false;
}
