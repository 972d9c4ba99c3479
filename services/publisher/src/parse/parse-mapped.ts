// Makes a message of a record in a foreign format, by a mapping: which of its values is the key, the channel, the time.
// Pure. Checks the picked values like those of any message.
import { jsonProblem } from './check-json.ts';
import type { Problem } from './message.ts';
import type { Parsed, TimedMessage } from './parse-message.ts';
import { makeMessage } from './parse-message.ts';
import { type RecordPath, valueAt } from './record-path.ts';

/** The same text for all records, or a value of each record. */
export type Pick = { readonly text: string } | { readonly path: RecordPath; readonly shown: string };

export interface Mapping {
  readonly lane: Pick;
  readonly channel: Pick;
  /** For state messages; any text, escaped to a key. */
  readonly key: Pick | undefined;
  readonly data: Pick;
  /** Undefined if the times of the records do not matter. */
  readonly t: Pick | undefined;
  readonly id: Pick | undefined;
}

const NUMBER = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/**
 * ISO 8601 and what programs make of it, or the dates of mails and HTTP. `Date.parse` alone takes `game 7` for a day of
 * 2001.
 */
const DATE =
  /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?$|^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?(?: (?:GMT|UTC|Z|[+-]\d{4}))?$/;

type Result<T> = { readonly value: T } | { readonly problem: Problem };

/** Makes a message of a record. Dates such as `2026-11-29T21:00:00Z` become times in the unit of `msPerUnit`. */
export function parseMapped(record: Buffer, mapping: Mapping, msPerUnit: number): Parsed<TimedMessage> {
  const broken = jsonProblem(record, 'the record');
  if (broken !== undefined) return { problem: broken };
  const at = timeOf(record, mapping.t, msPerUnit);
  if ('problem' in at) return at;
  const texts: Record<'lane' | 'channel' | 'key' | 'id', string | undefined> = {
    lane: undefined,
    channel: undefined,
    key: undefined,
    id: undefined,
  };
  for (const name of ['lane', 'channel', 'key', 'id'] as const) {
    const pick = mapping[name];
    if (pick === undefined) continue;
    const text = textOf(record, pick, name);
    if ('problem' in text) return text;
    texts[name] = text.value;
  }
  const data = 'text' in mapping.data ? Buffer.from(mapping.data.text) : valueAt(record, mapping.data.path);
  if (data === undefined) return missing(mapping.data, 'data');
  const { lane = '', channel = '', key, id } = texts;
  const keyText = lane === 'state' ? key : undefined;
  const message = makeMessage({ lane, channel, keyText, data, id });
  return 'problem' in message ? message : { value: { at: at.value, message: message.value } };
}

function timeOf(record: Buffer, pick: Pick | undefined, msPerUnit: number): Result<number> {
  if (pick === undefined) return { value: 0 };
  const text = textOf(record, pick, 't');
  if ('problem' in text) return text;
  const value = text.value.trim();
  const at = NUMBER.test(value)
    ? Number(value)
    : DATE.test(value)
      ? Date.parse(value) / msPerUnit
      : Number.NaN;
  if (at >= 0 && at <= 1e21) return { value: at };
  return invalid('t', `is ${JSON.stringify(text.value.slice(0, 40))}: neither a number from 0 on nor a date`);
}

/** A string, or a number as written. */
function textOf(record: Buffer, pick: Pick, name: string): Result<string> {
  if ('text' in pick) return { value: pick.text };
  const raw = valueAt(record, pick.path)?.toString('utf8');
  if (raw === undefined) return missing(pick, name);
  if (/^[-0-9]/.test(raw)) return { value: raw };
  if (!raw.startsWith('"')) return invalid(name, `at ${pick.shown} must be text or a number`);
  return { value: String(JSON.parse(raw)) };
}

function missing(pick: Pick, name: string): { readonly problem: Problem } {
  const where = 'shown' in pick ? pick.shown : '';
  return { problem: { code: 'FIELD_MISSING', message: `the record has nothing at ${where} for "${name}"` } };
}

function invalid(name: string, message: string): { readonly problem: Problem } {
  return { problem: { code: 'FIELD_INVALID', message: `"${name}" ${message}` } };
}
