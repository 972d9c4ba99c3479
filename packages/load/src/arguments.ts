// The command line of `weir-load`. Pure.
import { parseArgs } from 'node:util';
import { CHANNEL_RULE, isChannel, paths } from '@weir/protocol';

export interface LoadArguments {
  /** The router's URL, without a query. */
  readonly url: string;
  readonly clients: number;
  readonly channels: readonly string[];
  /** Time over which the clients connect. */
  readonly rampMs: number;
  /** Duration after the ramp. */
  readonly runMs: number;
  /** A pool and the share of the clients (0 to 1) that ask for it. */
  readonly slow: { readonly pool: string; readonly share: number } | undefined;
  readonly token: string | undefined;
  readonly publish:
    | { readonly url: string; readonly perSecond: number; readonly apiKey: string | undefined }
    | undefined;
  readonly json: boolean;
  readonly limits: Limits;
}

/** Limits that must hold at the end; undefined for no limit. */
export interface Limits {
  readonly maxAgeP99Ms: number | undefined;
  readonly maxRedirectP99Ms: number | undefined;
  readonly maxGaps: number | undefined;
  readonly maxFailed: number | undefined;
}

export class UsageError extends Error {
  readonly code = 'USAGE';
}

export const HELP = `weir-load: load on a Weir cluster through its router, and what the clients see

  weir-load <router URL> [options]         such as: weir-load ws://127.0.0.1:7701 --clients 1000

  --clients N         number of clients (default 100); 10,000 in one process need 20,000 open files (ulimit -n)
  --channels A,B      channels of each client (default load)
  --ramp TIME         connect the clients evenly over this time (default: 40 a second; the router accepts 50 a
                      second from one address)
  --for TIME          run for this time after the ramp (default 30s)
  --class POOL=SHARE  this share of the clients asks for a pool: mobile=0.3
  --token JWT         the user's token of all clients, if the cluster requires one

  --publish N         publish N stamped state messages a second and channel, and one critical, by HTTP, to measure
                      delivery ages and find lost and doubled messages
  --publisher URL     the publisher (default: that of a running npm start with this router, else
                      http://127.0.0.1:7702)
  --api-key KEY       the publisher's key, if it requires one

  --json              print the result as JSON on standard output
  --max-age-p99 MS --max-redirect-p99 MS --max-gaps N --max-failed N
                      exit with 1 above a limit; also if a client never connected, or a message was lost or doubled

Prints a line a second on standard error. Exit codes: 0 within all limits, 1 above a limit, 2 wrong usage.
`;

const MAX_CLIENTS = 100_000;
const RAMP_MS_PER_CLIENT = 25;
const MAX_PER_SECOND = 10_000;
/** Longer than any soak test, and within the range of Node's timers. */
const LONGEST_MS = 7 * 24 * 3_600_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const OPTIONS = {
  clients: { type: 'string' },
  channels: { type: 'string' },
  ramp: { type: 'string' },
  for: { type: 'string' },
  class: { type: 'string' },
  token: { type: 'string' },
  publish: { type: 'string' },
  publisher: { type: 'string' },
  'api-key': { type: 'string' },
  json: { type: 'boolean' },
  'max-age-p99': { type: 'string' },
  'max-redirect-p99': { type: 'string' },
  'max-gaps': { type: 'string' },
  'max-failed': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads a command line; returns `help` for --help; throws a `UsageError`. */
export function readArguments(
  argv: readonly string[],
  publisherOf: (routerUrl: string) => string | undefined = () => undefined,
): LoadArguments | 'help' {
  const { values, positionals } = read(argv);
  if (values.help === true) return 'help';
  const [url, ...tooMany] = positionals;
  if (url === undefined || tooMany.length > 0)
    throw new UsageError('it is: weir-load <router URL> [options]');
  const channels = (values.channels ?? 'load').split(',');
  const bad = channels.find((name) => !isChannel(name));
  if (bad !== undefined)
    throw new UsageError(`--channels: ${JSON.stringify(bad)} is not a channel name: ${CHANNEL_RULE}`);
  const twice = channels.find((name, at) => channels.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`--channels: ${twice} is there twice`);
  const { token } = values;
  if (token !== undefined && !isSubprotocol(token))
    throw new UsageError('--token is not a token: letters, digits, dots, - and _ such as a JWT has');
  const alone = (['publisher', 'api-key'] as const).find((name) => values[name] !== undefined);
  if (alone !== undefined && values.publish === undefined)
    throw new UsageError(`--${alone} is for --publish: say how many messages a second`);
  const limit = (name: 'max-age-p99' | 'max-redirect-p99' | 'max-gaps' | 'max-failed') =>
    values[name] === undefined ? undefined : count(`--${name}`, values[name], 0, Number.MAX_SAFE_INTEGER);
  const clients = count('--clients', values.clients ?? '100', 1, MAX_CLIENTS);
  return {
    url: routerUrl(url),
    clients,
    channels,
    rampMs: values.ramp === undefined ? clients * RAMP_MS_PER_CLIENT : durationMs('--ramp', values.ramp),
    runMs: durationMs('--for', values.for ?? '30s'),
    slow: values.class === undefined ? undefined : slowOf(values.class),
    token,
    publish:
      values.publish === undefined
        ? undefined
        : {
            url: publishUrl(values.publisher ?? publisherOf(url) ?? 'http://127.0.0.1:7702'),
            perSecond: count('--publish', values.publish, 1, MAX_PER_SECOND),
            apiKey: values['api-key'],
          },
    json: values.json === true,
    limits: {
      maxAgeP99Ms: limit('max-age-p99'),
      maxRedirectP99Ms: limit('max-redirect-p99'),
      maxGaps: limit('max-gaps'),
      maxFailed: limit('max-failed'),
    },
  };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : 'bad arguments').split(/[.;\n]/);
    const ambiguous = /^Option '(--[\w-]+)' argument is ambiguous$/.exec(sentence)?.[1];
    throw new UsageError(
      ambiguous === undefined ? sentence : `${ambiguous} needs a value that does not begin with a dash`,
    );
  }
}

function count(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not ${text}`);
}

function durationMs(name: string, text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined)
    throw new UsageError(`${name} must be a time such as 500ms, 30s or 5m, not ${text}`);
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (ms > LONGEST_MS) throw new UsageError(`${name} may be 168h at most, not ${text}`);
  return ms;
}

function slowOf(text: string): { readonly pool: string; readonly share: number } {
  const [, pool, share] = /^([A-Za-z0-9_-]+)=(0(?:\.\d+)?|1(?:\.0+)?)$/.exec(text) ?? [];
  if (pool === undefined)
    throw new UsageError(`--class must be a pool and a share such as mobile=0.3, not ${text}`);
  return { pool, share: Number(share) };
}

function routerUrl(text: string): string {
  const url = urlOf(text.replace(/^http/, 'ws'));
  if (url === undefined || !/^wss?:$/.test(url.protocol))
    throw new UsageError(`the router's URL must begin with ws:// or wss://, not ${text}`);
  if (url.pathname === '/') url.pathname = paths.connect;
  url.search = '';
  url.hash = '';
  return url.href;
}

/** A browser sends the token as a subprotocol, which may have these characters. */
function isSubprotocol(text: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(text);
}

function publishUrl(text: string): string {
  const url = urlOf(text);
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--publisher must be a URL with http:// or https://, not ${text}`);
  if (url.pathname === '/') url.pathname = '/v1/publish';
  return url.href;
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
