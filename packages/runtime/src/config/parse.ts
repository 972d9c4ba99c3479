// Parsers from the text of an environment variable to a typed, bounded value.
// A parser does not quote the text in its error: the text may be a secret, so the caller decides.
import { isIP } from 'node:net';

/** Both bounds are allowed values. Both must be finite, so that no setting can mean "unlimited". */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The texts that `parse.text` accepts. */
export interface TextOptions {
  readonly pattern?: RegExp;
  /** The expected text in words, for the error: "a pool name (letters, digits, - and _)". */
  readonly what?: string;
  /** Longest text in characters, default 4096. */
  readonly max?: number;
}

/** The values that a parser accepts, for code that needs them before a service runs: the schema of the chart. */
export type Accepts =
  | { readonly kind: 'int' | 'number'; readonly range: Range }
  /** `units` has the factor of each; the first is the default. */
  | { readonly kind: 'quantity'; readonly range: Range; readonly units: Readonly<Record<string, number>> }
  | { readonly kind: 'flag' }
  | { readonly kind: 'oneOf' | 'url'; readonly values: readonly string[] };

type Parser<T> = ((text: string) => T) & { readonly accepts?: Accepts };

function accepting<T>(accepts: Accepts, parser: (text: string) => T): Parser<T> {
  return Object.assign(parser, { accepts });
}

const maxTextLength = 4096;
const maxListEntries = 1000;
/** Node runs a longer timer after 1 ms. */
const maxTimerMs = 2 ** 31 - 1;

const byteUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1024,
  kib: 1024,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
};
const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function assertRange({ min, max }: Range): void {
  if (!Number.isFinite(min) || !Number.isFinite(max) || min > max) {
    throw new RangeError('the range of a setting must be finite and not empty');
  }
}

/** The text itself; refuses typical accidents of copy and paste. */
function plain(text: string, max: number): string {
  if (text === '') throw new Error('must not be empty');
  if (text.length > max) throw new Error(`must have at most ${max} characters`);
  if (text !== text.trim()) throw new Error('must not begin or end with white space');
  if (/\p{Cc}/u.test(text)) throw new Error('must not contain control characters');
  return text;
}

function within(value: number, { min, max }: Range, what: string): number {
  if (!Number.isFinite(value) || value < min || value > max) throw new Error(what);
  return value;
}

function int(range: Range): Parser<number> {
  assertRange(range);
  const what = `must be a whole number from ${range.min} to ${range.max}`;
  return accepting({ kind: 'int', range }, (text) => {
    if (!/^-?\d{1,16}$/.test(text)) throw new Error(what);
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw new Error(what);
    // "-0" is 0
    return within(value, range, what) + 0;
  });
}

function number(range: Range): Parser<number> {
  assertRange(range);
  const what = `must be a number from ${range.min} to ${range.max}`;
  return accepting({ kind: 'number', range }, (text) => {
    if (!/^-?\d{1,20}(?:\.\d{1,20})?$/.test(text)) throw new Error(what);
    return within(Number(text), range, what) + 0;
  });
}

/** A number with a unit; `units` names the factor of each, the first of them is the default. */
function quantity(units: Readonly<Record<string, number>>, range: Range, what: string): Parser<number> {
  assertRange(range);
  const sentence = `must be ${what}, from ${range.min} to ${range.max}`;
  const [base = ''] = Object.keys(units);
  return accepting({ kind: 'quantity', range, units }, (text) => {
    const match = /^(\d{1,15}(?:\.\d{1,3})?)([A-Za-z]*)$/.exec(text);
    const factor = Object.entries(units).find(([unit]) => unit === (match?.[2] || base).toLowerCase())?.[1];
    if (match === null || factor === undefined) throw new Error(sentence);
    const exact = Number(match[1]) * factor;
    const value = Math.round(exact);
    if (!Number.isSafeInteger(value) || Math.abs(value - exact) > 1e-6) throw new Error(sentence);
    return within(value, range, sentence);
  });
}

function list(): Parser<readonly string[]>;
function list<T>(item: Parser<T>): Parser<readonly T[]>;
function list(item: Parser<unknown> = (text) => plain(text, maxTextLength)): Parser<readonly unknown[]> {
  return (text) => {
    const entries = plain(text, maxTextLength * 4)
      .split(',')
      .map((entry) => entry.trim());
    if (entries.length > maxListEntries) throw new Error(`must have at most ${maxListEntries} entries`);
    return entries.map((entry, index) => {
      if (entry === '') throw new Error(`must be a comma-separated list, but entry ${index + 1} is empty`);
      try {
        return item(entry);
      } catch (error) {
        throw new Error(`entry ${index + 1} ${error instanceof Error ? error.message : 'is not valid'}`);
      }
    });
  };
}

function url(...protocols: readonly string[]): Parser<string> {
  const schemes = protocols.map((protocol) => `${protocol}//`).join(' or ');
  return accepting({ kind: 'url', values: protocols }, (text) => {
    const parsed = URL.canParse(plain(text, 2048)) ? new URL(text) : undefined;
    if (
      parsed === undefined ||
      !protocols.includes(parsed.protocol) ||
      parsed.hostname === '' ||
      /\s/.test(text)
    ) {
      throw new Error(`must be a URL that begins with ${schemes}`);
    }
    return text;
  });
}

function text(options: TextOptions = {}): Parser<string> {
  const { pattern, what = 'text of the expected form', max = maxTextLength } = options;
  return (given) => {
    const value = plain(given, max);
    if (pattern !== undefined && value.match(pattern)?.[0] !== value) throw new Error(`must be ${what}`);
    return value;
  };
}

/** An address of this machine, or a name of it, as a server listens on it. */
function host(given: string): string {
  const value = plain(given, 255);
  const labels = value.replace(/\.$/, '').split('.');
  const isName = labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
  // A name whose last part is a number is a mistyped address.
  if (isIP(value) !== 0 || (isName && !/^\d+$/.test(labels.at(-1) ?? ''))) return value;
  throw new Error('must be an IP address (IPv6 without brackets) or a host name, without scheme and port');
}

/** `nats://` or `tls://`, perhaps with `user:password@`, a host and a port: clients ignore all else. */
const natsScheme = url('nats:', 'tls:');
function natsServer(given: string): string {
  const { pathname, search, hash, port } = new URL(natsScheme(given));
  if (port === '0') throw new Error('must have another port than 0');
  if (!/^\/?$/.test(pathname) || search !== '' || hash !== '' || /[?#]/.test(given))
    throw new Error('must end with its host or port: a NATS server has no path and no query');
  return given;
}

const flag: Parser<boolean> = accepting({ kind: 'flag' }, (given) => {
  if (given === 'true' || given === '1') return true;
  if (given === 'false' || given === '0') return false;
  throw new Error('must be true or false (or 1 or 0)');
});

function oneOf<const T extends readonly string[]>(...values: T): Parser<T[number]> {
  return accepting({ kind: 'oneOf', values }, (given) => {
    const found = values.find((value) => value === given);
    if (found === undefined) throw new Error(`must be one of: ${values.join(', ')}`);
    return found;
  });
}

/** The parsers by name; each returns a function from text to value that throws a sentence. */
export const parse: {
  readonly text: (options?: TextOptions) => Parser<string>;
  readonly int: (range: Range) => Parser<number>;
  readonly number: (range: Range) => Parser<number>;
  /** 0 to 65535; 0 picks a free port. */
  readonly port: () => Parser<number>;
  /** `true`, `false`, `1`, `0`. */
  readonly flag: () => Parser<boolean>;
  /** Comma separated, trimmed, no empty entries; each entry may have a parser of its own. */
  readonly list: typeof list;
  readonly oneOf: typeof oneOf;
  /** `url('http:', 'https:')`: an absolute URL with one of these protocols, as it was written. */
  readonly url: (...protocols: readonly string[]) => Parser<string>;
  /** An address or a name to listen on, without scheme, port and brackets. */
  readonly host: () => Parser<string>;
  /** The URL of one NATS server, as it was written. */
  readonly natsServer: () => Parser<string>;
  /** `16384`, `16KB`, `1MB`; a KB is 1024 bytes. */
  readonly bytes: (range: Range) => Parser<number>;
  /** `1500`, `1500ms`, `10s`, `5m`, `1h`, `1d`; without a unit it is milliseconds. */
  readonly durationMs: (range: Range) => Parser<number>;
} = {
  text,
  int,
  number,
  port: () => int({ min: 0, max: 65_535 }),
  flag: () => flag,
  list,
  oneOf,
  url,
  host: () => host,
  natsServer: () => natsServer,
  bytes: (range) => quantity(byteUnits, range, 'a size such as 16384, 16KB or 1MB (in bytes)'),
  durationMs: (range) => {
    if (range.max > maxTimerMs) throw new RangeError(`a duration must not exceed ${maxTimerMs} ms`);
    return quantity(timeUnits, range, 'a duration such as 1500ms, 10s or 5m (in ms)');
  },
};
