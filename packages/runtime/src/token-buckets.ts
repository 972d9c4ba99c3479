// A token bucket for each of many keys, in a table of bounded size.

/** The tokens of a key now. A caller may take them below 0. */
export interface TokenBucket {
  tokens: number;
}

interface Bucket extends TokenBucket {
  atMs: number;
}

export interface TokenBucketLimits {
  /** `perSecond` is the rate in the long run, `burst` the most tokens at once. */
  readonly perSecond: number;
  readonly burst: number;
  /** Most remembered keys. Half of them may be forgotten; a forgotten key has its full burst again. */
  readonly maxKeys: number;
}

/**
 * Two generations of at most `maxKeys / 2` entries each. A full young generation becomes the old one, and the old one
 * is dropped.
 */
export class TokenBuckets {
  readonly #limits: TokenBucketLimits;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();

  constructor(limits: TokenBucketLimits) {
    this.#limits = limits;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The tokens of a key. This does not make the key a remembered one. */
  tokens(key: string, nowMs: number): number {
    const bucket = this.#young.get(key) ?? this.#old.get(key);
    return bucket === undefined ? this.#limits.burst : this.#earned(bucket, nowMs);
  }

  /** The bucket of a key, filled up to now; the caller takes from it. */
  filled(key: string, nowMs: number): TokenBucket {
    const bucket = this.#find(key, nowMs);
    bucket.tokens = this.#earned(bucket, nowMs);
    bucket.atMs = nowMs;
    return bucket;
  }

  #earned({ tokens, atMs }: Bucket, nowMs: number): number {
    const { perSecond, burst } = this.#limits;
    return Math.min(burst, tokens + (Math.max(0, nowMs - atMs) * perSecond) / 1_000);
  }

  #find(key: string, nowMs: number): Bucket {
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    const bucket = this.#old.get(key) ?? { tokens: this.#limits.burst, atMs: nowMs };
    this.#old.delete(key);
    if (this.#young.size >= Math.max(1, Math.floor(this.#limits.maxKeys / 2))) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, bucket);
    return bucket;
  }
}
