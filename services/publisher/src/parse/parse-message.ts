// Parses the JSON text of one message into a `Message` or a problem. Pure; cuts the data's bytes out of the text and
// never writes them again (case A3).
import type { Address } from '@weir/protocol';
import { CHANNEL_RULE, escapeKey, isChannel, isLane, isToken, limits, validatePayload } from '@weir/protocol';
import { jsonProblem, whereNotJson } from './check-json.ts';
import type { Message, Problem, ProblemCode } from './message.ts';
import { membersOf } from './raw-json.ts';

/** A message or why there is none. */
export type Parsed<T> = { readonly value: T } | { readonly problem: Problem };

/** A line of a recording: a message and when it was published, in the unit of the recording. */
export interface TimedMessage {
  readonly at: number;
  readonly message: Message;
}

type Fields = ReadonlyMap<string, Buffer>;
type Result<T> = T | Problem;

const ID = /^[A-Za-z0-9_.:/=+-]{1,128}$/;
/** Nanoseconds since 1970 are 2e18; sums and multiples of times must stay finite. */
const maxTime = 1e21;
const messageFields = ['lane', 'channel', 'key', 'keyText', 'data', 'delete', 'id'] as const;

/** Parses `{"lane":…,"channel":…,"key" or "keyText":…,"data":…|"delete":true,"id":…}`. */
export function parseMessage(json: Buffer): Parsed<Message> {
  const fields = readFields(json, messageFields);
  return result(isProblem(fields) ? fields : toMessage(fields));
}

/** Parses a recording's line: a message with `"t"`. */
export function parseTimedMessage(
  json: Buffer,
  time: 'needed' | 'optional' = 'needed',
): Parsed<TimedMessage> {
  const fields = readFields(json, ['t', ...messageFields]);
  if (isProblem(fields)) return { problem: fields };
  const message = toMessage(fields);
  if (isProblem(message)) return { problem: message };
  const t = fields.get('t');
  if (t === undefined && time === 'optional') return { value: { at: 0, message } };
  const at = Number(t?.toString('latin1'));
  if (!(at >= 0 && at <= maxTime)) {
    return { problem: invalid('t', 'must be a number from 0 on, in milliseconds or the unit that was said') };
  }
  return { value: { at, message } };
}

/** Makes a message from separate values, as on a command line, with the same checks. */
export function makeMessage(parts: {
  readonly lane: string;
  readonly channel: string;
  readonly key?: string | undefined;
  /** Any text, escaped to a key; instead of `key`. */
  readonly keyText?: string | undefined;
  /** Undefined deletes the key. */
  readonly data: Uint8Array | undefined;
  readonly id?: string | undefined;
}): Parsed<Message> {
  const key = parts.keyText === undefined ? parts.key : keyOfText(parts.keyText);
  if (isProblem(key)) return { problem: key };
  const address = toAddress(parts.lane, parts.channel, key);
  if (isProblem(address)) return { problem: address };
  const data = toData(address, parts.data);
  if (isProblem(data)) return { problem: data };
  return result(withId({ address, data }, parts.id));
}

function result<T>(value: Result<T>): Parsed<T> {
  return isProblem(value) ? { problem: value } : { value };
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}

function problem(code: ProblemCode, message: string): Problem {
  return { code, message };
}

function invalid(field: string, message: string): Problem {
  return problem('FIELD_INVALID', `"${field}" ${message}`);
}

function readFields(json: Buffer, allowed: readonly string[]): Result<Fields> {
  const broken = jsonProblem(json, 'the message');
  if (broken !== undefined) return broken;
  const members = membersOf(json);
  if (members === undefined) return problem('NOT_AN_OBJECT', 'a message must be a JSON object');
  const fields = new Map<string, Buffer>();
  for (const { name, value } of members) {
    const shown = JSON.stringify(name.slice(0, 40));
    if (!allowed.includes(name)) {
      return problem('FIELD_UNKNOWN', `${shown} is not a field of a message; known: ${allowed.join(', ')}`);
    }
    if (fields.has(name)) return problem('FIELD_DUPLICATE', `${shown} is there twice`);
    fields.set(name, value);
  }
  return fields;
}

function toMessage(fields: Fields): Result<Message> {
  for (const field of ['lane', 'channel']) {
    if (!fields.has(field)) return problem('FIELD_MISSING', `"${field}" is missing`);
  }
  const lane = textOf(fields, 'lane');
  const channel = textOf(fields, 'channel');
  const key = keyOf(fields);
  const id = textOf(fields, 'id');
  for (const text of [lane, channel, key, id]) if (isProblem(text)) return text;
  const address = toAddress(String(lane), String(channel), key === undefined ? undefined : String(key));
  if (isProblem(address)) return address;
  const data = fieldData(address, fields);
  if (isProblem(data)) return data;
  return withId({ address, data }, id === undefined ? undefined : String(id));
}

/** The key, or the key of `keyText`. */
function keyOf(fields: Fields): Result<string | undefined> {
  const text = textOf(fields, 'keyText');
  if (text === undefined) return textOf(fields, 'key');
  if (isProblem(text)) return text;
  if (fields.has('key')) return invalid('keyText', 'and "key" exclude each other');
  return keyOfText(text);
}

/** Any text as a key, or a problem. */
function keyOfText(text: string): Result<string> {
  try {
    return escapeKey(text);
  } catch (error) {
    return invalid('keyText', `is no key: ${error instanceof Error ? error.message : 'it is not valid'}`);
  }
}

function textOf(fields: Fields, field: string): Result<string | undefined> {
  const raw = fields.get(field);
  if (raw === undefined) return undefined;
  const value: unknown = JSON.parse(raw.toString('utf8'));
  return typeof value === 'string' ? value : invalid(field, 'must be text');
}

function toAddress(lane: string, channel: string, key: string | undefined): Result<Address> {
  if (!isLane(lane)) return invalid('lane', 'must be one of: state, critical, cosmetic');
  if (!isChannel(channel)) {
    return invalid('channel', `must be ${CHANNEL_RULE}`);
  }
  if (lane !== 'state') {
    return key === undefined ? { lane, channel } : invalid('key', 'is for the state lane alone');
  }
  if (key === undefined)
    return problem('FIELD_MISSING', '"key" (or "keyText") is missing; the state lane needs one');
  if (isToken(key)) return { lane, channel, key };
  return invalid('key', `must be 1 to ${limits.keyChars} letters, digits, - and _; "keyText" takes any text`);
}

function fieldData(address: Address, fields: Fields): Result<Uint8Array> {
  const data = fields.get('data');
  const remove = fields.get('delete');
  if (remove === undefined) {
    if (data === undefined) return problem('FIELD_MISSING', '"data" is missing (or "delete":true)');
    return toData(address, data);
  }
  if (data !== undefined) return invalid('delete', 'and "data" exclude each other');
  if (remove.toString('latin1') !== 'true') return invalid('delete', 'must be true where it is there');
  return toData(address, undefined);
}

function toData(address: Address, data: Uint8Array | undefined): Result<Uint8Array> {
  if (data === undefined) {
    return address.lane === 'state' ? new Uint8Array(0) : invalid('delete', 'is for the state lane alone');
  }
  switch (validatePayload(data)) {
    case 'ok':
      return data;
    case 'tooLarge':
      return problem(
        'DATA_TOO_LARGE',
        `the data has ${data.length} bytes; ${limits.messageBytes} are allowed`,
      );
    case 'tooDeep':
      return problem('DATA_TOO_DEEP', `the data is nested deeper than ${limits.depth} levels`);
    case 'number':
      return problem(
        'DATA_NUMBER',
        `the data has a number of more than ${limits.numberDigits} digits or beyond a 64-bit float; send it as a string`,
      );
    case 'bom':
      return problem('BYTE_ORDER_MARK', 'the data begins with a byte order mark; send plain UTF-8');
    case 'notUtf8':
      return problem('NOT_UTF8', 'the data is not valid UTF-8');
    case 'empty':
    case 'notJson':
      return problem('NOT_JSON', `the data is not valid JSON${whereNotJson(Buffer.from(data))}`);
  }
}

function withId(message: Message, id: string | undefined): Result<Message> {
  if (id === undefined) return message;
  if (message.address.lane === 'cosmetic') {
    return invalid('id', 'is for state and critical; nothing is kept of cosmetic messages to compare with');
  }
  return ID.test(id) ? { ...message, id } : invalid('id', 'must be 1 to 128 of A-Z a-z 0-9 _ . : / = + -');
}
