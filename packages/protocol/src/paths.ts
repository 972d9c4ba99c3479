// The public paths and query names of router and shard. No other file spells them.

export const paths = { connect: '/v1/connect', stream: '/v1/stream' } as const;

/** Weir's subprotocol, and the prefix of a user token that is offered beside it. */
export const subprotocol = { version: 'weir.v1', tokenPrefix: 'weir.token.' } as const;

/** The stream URL of a shard for a ticket. `base` is the shard's public URL, without a slash at its end. */
export function streamUrl(base: string, ticket: string): string {
  return `${base}${paths.stream}?ticket=${ticket}`;
}

/** The URL that a moved client opens: the router's, with a hint that replaces its token and its measurement. */
export function moveUrl(routerBase: string, channels: readonly string[], hint: string): string {
  return `${routerBase}${paths.connect}?channels=${channels.join(',')}&hint=${hint}`;
}

/** The same URL with TLS (`wss`), or unchanged. */
export function secured(url: string, tls: boolean): string {
  return tls && url.startsWith('ws://') ? `wss://${url.slice('ws://'.length)}` : url;
}
