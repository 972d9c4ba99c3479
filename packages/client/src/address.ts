// The URLs that are opened and the subprotocols offered with them. Pure.
import { paths, subprotocol } from '@weir/protocol';
import { WeirError } from './errors.ts';

export interface Target {
  readonly url: string;
  readonly protocols: string[];
}

export interface RouterAddress {
  readonly url: string;
  readonly base: string | undefined;
  readonly channels: readonly string[];
  readonly class: string | undefined;
  readonly token: string | undefined;
  /** Proves what was measured last; the router then need not measure again. */
  readonly hint: string | undefined;
}

/** What RFC 6455 allows as the name of a subprotocol. Base64 with `=` is not among it. */
const SUBPROTOCOL = /^[!#$%&'*+.^`|~\w-]+$/;

const ABSOLUTE = /^[a-z][a-z\d+.-]*:/i;
/** Scheme, host, path and query; a fragment means nothing to a server. */
const PARTS = /^(wss?|https?):\/\/([^/?#]+)([^?#]*)(\?[^#]*)?/i;

/** The router's URL. A token goes as a subprotocol where it can, since URLs end up in the logs of proxies. */
export function routerTarget(address: RouterAddress): Target {
  const url = parseUrl(address.url, address.base);
  const query = [`channels=${address.channels.join(',')}`];
  if (address.class !== undefined) query.push(`class=${encodeURIComponent(address.class)}`);
  if (address.hint !== undefined) query.push(`hint=${encodeURIComponent(address.hint)}`);
  const protocols: string[] = [subprotocol.version];
  if (address.token) {
    if (SUBPROTOCOL.test(address.token)) protocols.push(subprotocol.tokenPrefix + address.token);
    else query.push(`token=${encodeURIComponent(address.token)}`);
  }
  return { url: extended(url, query.join('&')), protocols };
}

/** The URL of a move is complete, and its hint replaces the token. */
export function moveTarget(url: string): Target {
  return { url, protocols: [subprotocol.version] };
}

/** `more`: parameters beside the position. */
export function streamTarget(url: string, resume: string | undefined, more: readonly string[] = []): Target {
  const query = resume === undefined ? more : [`resume=${encodeURIComponent(resume)}`, ...more];
  return { url: query.reduce(extended, url), protocols: [subprotocol.version] };
}

/**
 * The absolute ws or wss URL, with the router's path where it has none. Made from the text: the URL class of React
 * Native changes nothing and adds slashes, and few runtimes can change a scheme from http to ws.
 */
export function parseUrl(text: string, base: string | undefined): string {
  let absolute = '';
  try {
    const { href } = new URL(text, base);
    absolute = ABSOLUTE.test(text) ? text : href;
  } catch {
    // Said below.
  }
  const [, scheme = '', host, path, query = ''] = PARTS.exec(absolute) ?? [];
  if (host === undefined) throw new WeirError('BAD_URL', `not a URL of wss:// or ws://: ${text}`);
  return `${scheme.toLowerCase().replace('http', 'ws')}://${host}${path === '/' || !path ? paths.connect : path}${query}`;
}

function extended(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}
