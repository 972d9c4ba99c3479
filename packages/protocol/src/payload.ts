// The rules for published payloads: strict UTF-8, no byte order mark, valid JSON, bounded in size and depth, with
// numbers that every JSON parser reads. Checks bytes and never changes them: a value reaches clients byte for byte
// (case A3).
import { isUtf8 } from 'node:buffer';
import { limits } from './limits.ts';

/** Why a payload cannot be sent. `empty` is a deletion of the key in the state lane. */
export type PayloadProblem = 'empty' | 'tooLarge' | 'notUtf8' | 'bom' | 'notJson' | 'tooDeep' | 'number';

/** The verdict on a payload: valid, or why it cannot be sent. */
export type PayloadVerdict = 'ok' | PayloadProblem;

/** Tighter bounds than the protocol's, from the settings of a service. */
export interface PayloadBounds {
  readonly messageBytes: number;
  readonly depth: number;
}

/** Checks a published payload. Only a payload without bytes is `empty`; white space alone is `notJson`. */
export function validatePayload(bytes: Uint8Array, bounds: PayloadBounds = limits): PayloadVerdict {
  const read = readPayload(bytes, bounds);
  return 'problem' in read ? read.problem : 'ok';
}

/** Judges a published payload, and decodes it once: `text` is the JSON as latin1, one character a byte. */
export function readPayload(
  bytes: Uint8Array,
  bounds: PayloadBounds = limits,
): { readonly text: string } | { readonly problem: PayloadProblem } {
  if (bytes.length === 0) return { problem: 'empty' };
  if (bytes.length > bounds.messageBytes) return { problem: 'tooLarge' };
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { problem: 'bom' };
  if (!isUtf8(bytes)) return { problem: 'notUtf8' };
  // Latin-1 instead of UTF-8: outside strings every byte above 0x7F is wrong in both readings, inside
  // strings every one is right in both. Making and parsing one-byte strings is several times faster.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  try {
    JSON.parse(text);
  } catch {
    return { problem: 'notJson' };
  }
  if (deeperThan(text, bounds.depth)) return { problem: 'tooDeep' };
  return SUSPECT.test(text) && !numbersFit(text) ? { problem: 'number' } : { text };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Every number out of bounds matches this. Strings may match too, so a match only leads to the full check. */
const SUSPECT = new RegExp(`\\d[eE]|[\\d.]{${limits.numberDigits + 1}}`);

/** The number at a place of valid JSON: its digits and its exponent. */
const NUMBER = /-?(\d+(?:\.\d+)?)(?:[eE]([-+]?\d+))?/y;

/** Whether each number of valid JSON is within the limits and finite as a double. */
function numbersFit(json: string): boolean {
  for (let i = 0; i < json.length; i += 1) {
    const char = json.charCodeAt(i);
    if (char === QUOTE) i = closingQuote(json, i);
    else if (char === MINUS || (char >= ZERO && char <= NINE)) {
      NUMBER.lastIndex = i;
      const [token = '', digits = '', exponent = '0'] = NUMBER.exec(json) ?? [];
      if (digits.replace('.', '').length > limits.numberDigits) return false;
      if (Math.abs(Number(exponent)) > limits.numberExponent || !Number.isFinite(Number(token))) return false;
      i += token.length - 1;
    }
  }
  return true;
}

/** The index at which the string that opens at `from` closes. */
function closingQuote(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** Whether valid JSON nests arrays and objects deeper than `depth`: `[]` is 1 deep, `1` is 0. */
function deeperThan(json: string, depth: number): boolean {
  // Every level takes two characters, so a text this short cannot be too deep.
  if (json.length <= depth * 2) return false;
  let open = 0;
  for (let i = 0; i < json.length; i += 1) {
    const char = json.charCodeAt(i);
    if (char === QUOTE) i = closingQuote(json, i);
    else if (char === 0x5b || char === 0x7b) {
      open += 1;
      if (open > depth) return true;
    } else if (char === 0x5d || char === 0x7d) open -= 1;
  }
  return false;
}
