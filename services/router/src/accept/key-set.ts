// The public keys of the identity provider, from the one configured URL. Asks seldom, and goes on with the keys that
// it had while the provider is away. Never fetches anything that a token names.
import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet, createRemoteJWKSet } from 'jose';
import { JOSEError } from 'jose/errors';
import { KeysUnavailableError } from './user-token.ts';

/** What became of the keys that were asked for; the label of a metric. */
export type KeyOutcome = 'found' | 'unknown' | 'stale' | 'unavailable';

/** Longest wait for the provider: the client waits too. */
const fetchTimeoutMs = 3_000;
/** An unknown `kid` makes us ask again at most this often. */
const cooldownMs = 30_000;
const maxAgeMs = 600_000;
/** After a failure nobody asks for so long. */
const failureHoldMs = 5_000;
/** Keys older than this are not used, even if the provider is away. */
const staleMs = 24 * 3_600_000;

const aboutTheToken = [
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JOSE_NOT_SUPPORTED',
];

/** A key source for `jose` that asks `url`. */
export function createKeySet(o: {
  readonly url: string;
  readonly clock: { monotonicMs(): number };
  readonly onOutcome: (outcome: KeyOutcome) => void;
}): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(o.url), {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: maxAgeMs,
  });
  let freshMs = Number.NEGATIVE_INFINITY;
  let failedMs = Number.NEGATIVE_INFINITY;
  const hadBefore: JWTVerifyGetKey = async (header, token) => {
    const keys = remote.jwks();
    if (keys === undefined || o.clock.monotonicMs() - freshMs > staleMs) {
      o.onOutcome('unavailable');
      throw new KeysUnavailableError('the key set cannot be fetched');
    }
    o.onOutcome('stale');
    return createLocalJWKSet(keys)(header, token);
  };
  return async (header, token) => {
    const held = o.clock.monotonicMs() - failedMs < failureHoldMs;
    if (held && !remote.fresh) return hadBefore(header, token);
    try {
      const key = await remote(header, token);
      if (remote.fresh) freshMs = o.clock.monotonicMs();
      o.onOutcome('found');
      return key;
    } catch (error) {
      if (error instanceof JOSEError && aboutTheToken.includes(error.code)) {
        o.onOutcome('unknown');
        throw error;
      }
      failedMs = o.clock.monotonicMs();
      return hadBefore(header, token);
    }
  };
}
