// Checks whether a request has one of the API keys. Compares in constant time; never logs or repeats a key.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Identity of a publisher for the rate limit: a key's index in the list, never the key. */
export type Authorise = (headers: IncomingHttpHeaders) => { readonly key: number | undefined } | undefined;

/** Without keys every caller may publish. With several, all are valid, which allows rotation. */
export function createAuthorise(keys: readonly string[]): Authorise {
  if (keys.length === 0) return () => ({ key: undefined });
  const digests = keys.map(digest);
  return (headers) => {
    const shown = shownKey(headers);
    if (shown === undefined) return undefined;
    const given = digest(shown);
    // Compares every key, whatever the result of the others.
    const matches = digests.map((known) => timingSafeEqual(known, given));
    const key = matches.indexOf(true);
    return key < 0 ? undefined : { key };
  };
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** The key of either header; undefined without a key, or with two different ones. */
function shownKey(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const plain = headers['x-api-key'];
  if (plain === undefined) return bearer;
  if (Array.isArray(plain) || (bearer !== undefined && bearer !== plain)) return undefined;
  return plain;
}
