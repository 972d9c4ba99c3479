// A token bucket for each of many keys, in a table that cannot grow beyond its bound.

/** What a key has at the moment. It may be taken below 0. */
export interface TokenBucket {
  tokens: number;
}

interface Bucket extends TokenBucket {
  atMs: number;
}

export interface TokenBucketLimits {
  /** Tokens in the long run, and at once. */
  readonly perSecond: number;
  readonly burst: number;
  /** Keys that are remembered; half of them may be forgotten, which only ever gives a key its full burst back. */
  readonly maxKeys: number;
}

/**
 * Two generations of at most `maxKeys / 2` entries each: when the young one is full it becomes the old one, and the old
 * one is forgotten.
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

  /** What a key has; it is not remembered for that. */
  tokens(key: string, nowMs: number): number {
    const bucket = this.#young.get(key) ?? this.#old.get(key);
    return bucket === undefined ? this.#limits.burst : this.#earned(bucket, nowMs);
  }

  /** The bucket of a key with what it has earned by now, to take from. */
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
