// From NATS URLs to what the client library takes: it knows neither schemes nor user information in them.

/** Where the servers are and what their URLs say about getting in. */
export interface Servers {
  /** `host:port`, IPv6 in brackets. Carries no secrets. */
  readonly addresses: readonly string[];
  /** One of the URLs was tls://: then no server is talked to in the clear. */
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  /** A user without a password, as NATS writes tokens in URLs. */
  readonly token?: string;
}

/** Throws where the list is empty or two servers ask for different credentials: the library has one set for all. */
export function readServers(urls: readonly string[]): Servers {
  if (urls.length === 0) throw new Error('no NATS server is given');
  const parsed = urls.map((url) => new URL(url));
  const entries = new Set(
    parsed.filter((url) => url.username !== '').map((url) => `${url.username}:${url.password}`),
  );
  if (entries.size > 1) throw new Error('the NATS URLs carry different user information; use one for all');
  const entry = parsed.find((url) => url.username !== '');
  return {
    addresses: parsed.map((url) => `${url.hostname}:${url.port === '' ? '4222' : url.port}`),
    tls: parsed.some((url) => url.protocol === 'tls:'),
    ...(entry === undefined ? {} : credentials(entry)),
  };
}

function credentials(
  url: URL,
): { readonly user: string; readonly password: string } | { readonly token: string } {
  const user = decodeURIComponent(url.username);
  return url.password === '' ? { token: user } : { user, password: decodeURIComponent(url.password) };
}
