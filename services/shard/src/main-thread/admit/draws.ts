// Bounds the bytes that clients of one network draw by coming again and again: each comes with a snapshot of every channel
// for which it shows no position. A token bucket of bytes each, in a table that cannot grow beyond its bound.

export interface DrawLimits {
  /** Bytes of first snapshots in the long run, and at once. */
  readonly networkDrawBytesPerSecond: number;
  readonly networkDrawBurstBytes: number;
  /** Networks that are remembered; half of them may be forgotten, which gives each its full burst back. */
  readonly maxNetworks: number;
}

interface Bucket {
  bytes: number;
  atMs: number;
}

export class Draws {
  readonly #limits: DrawLimits;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();

  constructor(limits: DrawLimits) {
    this.#limits = limits;
  }

  /** Networks that are remembered. */
  get networks(): number {
    return this.#young.size + this.#old.size;
  }

  /** Whether a client of this network may draw. One that does may take more than there is: the next ones wait for it. */
  mayDraw(network: string, nowMs: number): boolean {
    const bucket = this.#young.get(network) ?? this.#old.get(network);
    return bucket === undefined || this.#earned(bucket, nowMs) > 0;
  }

  /** A client of this network draws. */
  charge(network: string, bytes: number, nowMs: number): void {
    const bucket = this.#bucketOf(network, nowMs);
    bucket.bytes = this.#earned(bucket, nowMs) - bytes;
    bucket.atMs = nowMs;
  }

  #earned({ bytes, atMs }: Bucket, nowMs: number): number {
    const { networkDrawBytesPerSecond: bytesPerSecond, networkDrawBurstBytes: burstBytes } = this.#limits;
    return Math.min(burstBytes, bytes + (Math.max(0, nowMs - atMs) * bytesPerSecond) / 1_000);
  }

  #bucketOf(network: string, nowMs: number): Bucket {
    const known = this.#young.get(network);
    if (known !== undefined) return known;
    const bucket = this.#old.get(network) ?? { bytes: this.#limits.networkDrawBurstBytes, atMs: nowMs };
    this.#old.delete(network);
    if (this.#young.size >= Math.max(1, Math.floor(this.#limits.maxNetworks / 2))) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(network, bucket);
    return bucket;
  }
}
