// Bounds the bytes that clients of one network draw by reconnecting: each connection gets a snapshot of every channel for
// which it shows no position. One token bucket of bytes per network, in a table of bounded size.
import { TokenBuckets } from '@weir/runtime';

export interface DrawLimits {
  /** Bytes of first snapshots in the long run, and at once. */
  readonly networkDrawBytesPerSecond: number;
  readonly networkDrawBurstBytes: number;
  /** Networks that are remembered; half of them may be forgotten, which gives each its full burst back. */
  readonly maxNetworks: number;
}

export class Draws {
  readonly #buckets: TokenBuckets;

  constructor(limits: DrawLimits) {
    this.#buckets = new TokenBuckets({
      perSecond: limits.networkDrawBytesPerSecond,
      burst: limits.networkDrawBurstBytes,
      maxKeys: limits.maxNetworks,
    });
  }

  /** Networks that are remembered. */
  get networks(): number {
    return this.#buckets.size;
  }

  /** Whether a client of this network may draw. One that does may take more than there is: the next ones wait for it. */
  mayDraw(network: string, nowMs: number): boolean {
    return this.#buckets.tokens(network, nowMs) > 0;
  }

  /** A client of this network draws. */
  charge(network: string, bytes: number, nowMs: number): void {
    this.#buckets.filled(network, nowMs).tokens -= bytes;
  }
}
