// Cuts the raw text of members and elements out of JSON, which keeps the values' bytes (case A3).
// Accepts only text that is known to be valid JSON; does not check, recurse or copy.

/** One member of an object: its decoded name, and its value as written. */
export interface RawMember {
  readonly name: string;
  readonly value: Buffer;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** The members of the object in `json`, in their order, duplicates included; undefined if it is not an object. */
export function membersOf(json: Buffer): readonly RawMember[] | undefined {
  const start = skipSpace(json, 0);
  if (json[start] !== 0x7b) return undefined;
  const members: RawMember[] = [];
  let at = skipSpace(json, start + 1);
  while (json[at] === QUOTE) {
    const nameEnd = endOfString(json, at);
    const name = String(JSON.parse(json.toString('utf8', at, nameEnd)));
    const colon = skipSpace(json, nameEnd);
    const from = skipSpace(json, colon + (json[colon] === COLON ? 1 : 0));
    const to = endOfValue(json, from);
    members.push({ name, value: json.subarray(from, to) });
    at = afterComma(json, to);
  }
  return members;
}

/**
 * The elements of the array in `json`, in their order, at most one more than `max`; undefined if it is not an array.
 */
export function elementsOf(json: Buffer, max: number): readonly Buffer[] | undefined {
  const start = skipSpace(json, 0);
  if (json[start] !== 0x5b) return undefined;
  const elements: Buffer[] = [];
  let at = skipSpace(json, start + 1);
  while (at < json.length && json[at] !== 0x5d && elements.length <= max) {
    const to = endOfValue(json, at);
    elements.push(json.subarray(at, to));
    at = afterComma(json, to);
  }
  return elements;
}

/** Without the white space around it. */
export function trimmed(json: Buffer): Buffer {
  const from = skipSpace(json, 0);
  let to = json.length;
  while (to > from && isSpace(json[to - 1])) to -= 1;
  return json.subarray(from, to);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpace(json: Buffer, from: number): number {
  let at = from;
  while (isSpace(json[at])) at += 1;
  return at;
}

function afterComma(json: Buffer, from: number): number {
  const at = skipSpace(json, from);
  return json[at] === COMMA ? skipSpace(json, at + 1) : at;
}

/** The index behind the closing quote of the string that opens at `from`. */
function endOfString(json: Buffer, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function endOfValue(json: Buffer, from: number): number {
  const first = json[from];
  if (first === QUOTE) return endOfString(json, from);
  if (first !== 0x5b && first !== 0x7b) return endOfScalar(json, from);
  let open = 0;
  let at = from;
  do {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else {
      if (byte === 0x5b || byte === 0x7b) open += 1;
      else if (byte === 0x5d || byte === 0x7d) open -= 1;
      at += 1;
    }
  } while (open > 0 && at < json.length);
  return at;
}

/** Numbers, `true`, `false` and `null` end before a comma, a closing bracket or white space. */
function endOfScalar(json: Buffer, from: number): number {
  let at = from;
  while (at < json.length) {
    const byte = json[at];
    if (byte === COMMA || byte === 0x5d || byte === 0x7d || isSpace(byte)) break;
    at += 1;
  }
  return at;
}
