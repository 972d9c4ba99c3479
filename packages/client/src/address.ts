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
const SUBPROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The router's URL. A token goes as a subprotocol where it can, since URLs end up in the logs of proxies. */
export function routerTarget(address: RouterAddress): Target {
  const url = parseUrl(address.url, address.base);
  if (url.pathname === '/') url.pathname = paths.connect;
  url.hash = '';
  const query = [`channels=${address.channels.join(',')}`];
  if (address.class !== undefined) query.push(`class=${encodeURIComponent(address.class)}`);
  if (address.hint !== undefined) query.push(`hint=${encodeURIComponent(address.hint)}`);
  const protocols: string[] = [subprotocol.version];
  if (address.token) {
    if (SUBPROTOCOL.test(address.token)) protocols.push(subprotocol.tokenPrefix + address.token);
    else query.push(`token=${encodeURIComponent(address.token)}`);
  }
  return { url: extended(url.href, query.join('&')), protocols };
}

/** The URL of a move is complete, and its hint replaces the token. */
export function moveTarget(url: string): Target {
  return { url, protocols: [subprotocol.version] };
}

export function streamTarget(url: string, resume: string | undefined): Target {
  const complete = resume === undefined ? url : extended(url, `resume=${encodeURIComponent(resume)}`);
  return { url: complete, protocols: [subprotocol.version] };
}

export function parseUrl(text: string, base: string | undefined): URL {
  let url: URL;
  try {
    // Not every runtime can change a URL's scheme from http to ws, so it is done in the text.
    url = new URL(new URL(text, base).href.replace(/^http/, 'ws'));
  } catch (cause) {
    throw new WeirError('BAD_URL', `not a URL: ${text}`, { cause });
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new WeirError('BAD_URL', `the URL must begin with wss:// or ws://, not ${url.protocol}`);
  }
  return url;
}

function extended(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}
