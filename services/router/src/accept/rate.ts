// Limits how often one network may connect: a token bucket per network, in a table of bounded size.
import type { TokenBucket } from '@weir/runtime';
import { TokenBuckets } from '@weir/runtime';

/** The answer to an attempt. */
export type RateVerdict = { readonly ok: true } | { readonly ok: false; readonly waitS: number };

/** The limit and its table. */
export interface RateLimit {
  take(network: string): RateVerdict;
  /** Charges further connects for a client that was admitted; a network owes at most its burst. */
  charge(network: string, connects: number): void;
  /** Number of remembered networks. */
  readonly size: number;
}

export function createRateLimit(o: {
  readonly perSecond: number;
  readonly burst: number;
  readonly maxNetworks: number;
  readonly clock: { monotonicMs(): number };
}): RateLimit {
  const buckets = new TokenBuckets({ perSecond: o.perSecond, burst: o.burst, maxKeys: o.maxNetworks });
  const filled = (network: string): TokenBucket => buckets.filled(network, o.clock.monotonicMs());
  return {
    get size() {
      return buckets.size;
    },
    charge(network, connects) {
      const bucket = filled(network);
      bucket.tokens = Math.max(-o.burst, bucket.tokens - connects);
    },
    take(network) {
      const bucket = filled(network);
      if (bucket.tokens < 1) {
        return { ok: false, waitS: Math.max(1, Math.ceil((1 - bucket.tokens) / o.perSecond)) };
      }
      bucket.tokens -= 1;
      return { ok: true };
    },
  };
}
