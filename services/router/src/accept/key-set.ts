// The public keys of the identity provider, from the one configured URL. Asks rarely, whatever tokens come, and keeps
// using its last keys while the provider is away. Never fetches a URL that a token names.
import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet } from 'jose';
import { JOSEError } from 'jose/errors';
import type { FetchKeysOptions } from './fetch-keys.ts';
import { fetchKeys } from './fetch-keys.ts';
import { KeysUnavailableError } from './user-token.ts';

/** Outcome of a key look-up; the label of a metric. */
export type KeyOutcome = 'found' | 'unknown' | 'stale' | 'unavailable';
/** How a request for the key set ended; the label of a metric. */
export type KeyFetchOutcome = 'fetched' | 'failed';

/** Minimum time between two requests after an answer, also for a `kid` that the keys do not have. */
const cooldownMs = 30_000;
/** Minimum time until the next request after a failure. */
const failureHoldMs = 5_000;
const maxAgeMs = 600_000;
/** Keys older than this are unused, even if the provider is away. */
const staleMs = 24 * 3_600_000;

export interface KeySetOptions extends FetchKeysOptions {
  readonly clock: { monotonicMs(): number };
  readonly onOutcome: (outcome: KeyOutcome) => void;
  readonly onFetch: (outcome: KeyFetchOutcome) => void;
}

/** A key source for `jose` that requests `url`. */
export function createKeySet(o: KeySetOptions): JWTVerifyGetKey {
  const keySet = new KeySet(o);
  return (header, token) => keySet.find(header, token);
}

type Found = Awaited<ReturnType<JWTVerifyGetKey>>;

class KeySet {
  readonly #o: KeySetOptions;
  #local: JWTVerifyGetKey | undefined;
  #fetchedMs = Number.NEGATIVE_INFINITY;
  /** The provider is not asked before this moment. */
  #holdUntilMs = Number.NEGATIVE_INFINITY;
  #failed = false;
  #asking: Promise<void> | undefined;

  constructor(options: KeySetOptions) {
    this.#o = options;
  }

  async find(...asked: Parameters<JWTVerifyGetKey>): Promise<Found> {
    if (this.#ageMs() > maxAgeMs) {
      const asked = this.#ask();
      // A provider that did not answer last time keeps nobody waiting whose key is here.
      if (!this.#failed || this.#ageMs() > staleMs) await asked;
    }
    const first = await this.#match(asked);
    if (first !== undefined) return first;
    await this.#ask();
    const second = await this.#match(asked);
    if (second !== undefined) return second;
    // The provider may have a new key but not answer now.
    if (this.#failed) throw this.#unavailable();
    this.#o.onOutcome('unknown');
    return this.#local?.(...asked) ?? Promise.reject(this.#unavailable());
  }

  /** The key; undefined if the keys have none with this `kid`. */
  async #match(asked: Parameters<JWTVerifyGetKey>): Promise<Found | undefined> {
    const { onOutcome } = this.#o;
    if (this.#local === undefined || this.#ageMs() > staleMs) throw this.#unavailable();
    try {
      const key = await this.#local(...asked);
      onOutcome(this.#ageMs() > maxAgeMs ? 'stale' : 'found');
      return key;
    } catch (error) {
      if (error instanceof JOSEError && error.code === 'ERR_JWKS_NO_MATCHING_KEY') return undefined;
      onOutcome('unknown');
      throw error;
    }
  }

  #unavailable(): KeysUnavailableError {
    this.#o.onOutcome('unavailable');
    return new KeysUnavailableError('the key set cannot be fetched');
  }

  #ageMs(): number {
    return this.#o.clock.monotonicMs() - this.#fetchedMs;
  }

  /** Asks the provider once for all waiting callers; does nothing within the hold. Never rejects. */
  #ask(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    if (this.#o.clock.monotonicMs() < this.#holdUntilMs) return Promise.resolve();
    this.#asking = this.#fetch().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #fetch(): Promise<void> {
    const { clock, onFetch } = this.#o;
    try {
      this.#local = createLocalJWKSet(await fetchKeys(this.#o));
      this.#fetchedMs = clock.monotonicMs();
      this.#failed = false;
    } catch {
      this.#failed = true;
    }
    this.#holdUntilMs = clock.monotonicMs() + (this.#failed ? failureHoldMs : cooldownMs);
    onFetch(this.#failed ? 'failed' : 'fetched');
  }
}
