// How often one network may connect: a token bucket each, in a table that cannot grow beyond its bound.
import type { TokenBucket } from '@weir/runtime';
import { TokenBuckets } from '@weir/runtime';

/** What an attempt was answered with. */
export type RateVerdict = { readonly ok: true } | { readonly ok: false; readonly waitS: number };

/** The limit and its table. */
export interface RateLimit {
  take(network: string): RateVerdict;
  /** Counts so many connects more, of a client that was let in; a network owes no more than its burst. */
  charge(network: string, connects: number): void;
  /** Networks that are remembered. */
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
