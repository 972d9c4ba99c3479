// How often one network may connect: a token bucket each, in a table that cannot grow beyond its bound.

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

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * Two generations of at most `maxNetworks / 2` entries each: when the young one is full it becomes the old one, and
 * the old one is forgotten, which only ever gives a network its full burst back.
 */
export function createRateLimit(o: {
  readonly perSecond: number;
  readonly burst: number;
  readonly maxNetworks: number;
  readonly clock: { monotonicMs(): number };
}): RateLimit {
  let young = new Map<string, Bucket>();
  let old = new Map<string, Bucket>();
  const find = (network: string, nowMs: number): Bucket => {
    const known = young.get(network);
    if (known !== undefined) return known;
    const bucket = old.get(network) ?? { tokens: o.burst, atMs: nowMs };
    old.delete(network);
    if (young.size >= Math.max(1, Math.floor(o.maxNetworks / 2))) {
      old = young;
      young = new Map();
    }
    young.set(network, bucket);
    return bucket;
  };
  const filled = (network: string): Bucket => {
    const nowMs = o.clock.monotonicMs();
    const bucket = find(network, nowMs);
    const earned = (Math.max(0, nowMs - bucket.atMs) * o.perSecond) / 1000;
    bucket.tokens = Math.min(o.burst, bucket.tokens + earned);
    bucket.atMs = nowMs;
    return bucket;
  };
  return {
    get size() {
      return young.size + old.size;
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
