// Parses a request within bounds: path, query, offered subprotocols. Pure; checks only the form.
import type { ChannelListProblem } from '@weir/protocol';
import { CHANNEL_RULE, limits, parseChannels, subprotocol } from '@weir/protocol';

/** The wishes in the query. */
export interface Query {
  readonly channels: readonly string[];
  readonly asked?: string;
  readonly token?: string;
  readonly hint?: string;
}

/** The problem as text, or the parsed query. */
type Parsed<T> = T | { readonly problem: string };

/** Path and query of a request target; an absolute one (`http://host/path`) counts by its path. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const relative = target.replace(/^https?:\/\/[^/?#]*/i, '');
  const [all = ''] = relative.split('#');
  const at = all.indexOf('?');
  return at < 0 ? { path: all, query: '' } : { path: all.slice(0, at), query: all.slice(at + 1) };
}

const channelProblems: Readonly<Record<ChannelListProblem, string>> = {
  empty: 'name at least one channel, as in ?channels=lobby,sports.42',
  invalid: `a channel is ${CHANNEL_RULE}`,
  tooMany: `one connection has at most ${limits.channelsPerConnection} channels`,
  tooLong: `the channel names of one connection have at most ${limits.channelsChars} characters together`,
};

/** Parses the query. Ignores unknown names; Weir's own names may occur once. */
export function parseQuery(query: string, pools: readonly string[]): Parsed<Query> {
  const params = new URLSearchParams(query);
  for (const name of ['channels', 'class', 'token', 'hint']) {
    if (params.getAll(name).length > 1) return { problem: `${name} stands in the query more than once` };
  }
  const names = params.get('channels') ?? '';
  const parsed = parseChannels(names === '' ? [] : names.split(','));
  if ('problem' in parsed) return { problem: channelProblems[parsed.problem] };
  const asked = params.get('class');
  if (asked !== null && !pools.includes(asked)) return { problem: `class is one of: ${pools.join(', ')}` };
  const token = params.get('token');
  const hint = params.get('hint');
  return {
    channels: parsed.channels,
    ...(asked === null ? {} : { asked }),
    ...(token === null ? {} : { token }),
    ...(hint === null ? {} : { hint }),
  };
}

/** The client's offered subprotocols. */
export interface Offer {
  /** Whether the client offered `weir.v1`: the router then chooses it, even if it refuses the client. */
  readonly version: boolean;
  readonly token?: string;
}

/** The characters of a subprotocol name: an HTTP token. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const maxOffered = 32;

/** Parses the `Sec-WebSocket-Protocol` headers; several headers are one list. */
export function parseOffer(values: readonly string[]): Parsed<Offer> {
  if (values.length === 0) return { version: false };
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim());
  if (names.length > maxOffered || !names.every((name) => NAME.test(name))) {
    return { problem: 'Sec-WebSocket-Protocol is not a list of names (a token in it has no padding with =)' };
  }
  if (new Set(names).size !== names.length) return { problem: 'a subprotocol is offered twice' };
  const tokens = names.filter((name) => name.startsWith(subprotocol.tokenPrefix));
  if (tokens.length > 1) return { problem: 'there is more than one token among the subprotocols' };
  const version = names.includes(subprotocol.version);
  const [token] = tokens;
  if (token === undefined) return { version };
  if (!version) {
    return {
      problem: `offer ${subprotocol.version} beside ${subprotocol.tokenPrefix}…: a token is not a protocol`,
    };
  }
  return { version, token: token.slice(subprotocol.tokenPrefix.length) };
}
