// Turns NATS URLs into options of the client library, which understands neither schemes nor user information.

/** The servers, and the credentials in their URLs. */
export interface Servers {
  /** `host:port`, IPv6 in brackets. Contains no secrets. */
  readonly addresses: readonly string[];
  /** One of the URLs is tls://: then every connection uses TLS. */
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  /** A user without a password: NATS writes tokens in URLs this way. */
  readonly token?: string;
}

/** Throws if the list is empty or two URLs have different credentials: the library has one set for all servers. */
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
