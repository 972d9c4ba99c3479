// The load report of a shard: its shape, its bounds, its bytes. Everything in it is checked on the way in,
// since whoever may publish to NATS can claim anything.

/** One report of one shard, sent once a second. */
export interface Beat {
  readonly v: 1;
  readonly pool: string;
  readonly shard: string;
  /** Public base of the shard, `ws://` or `wss://`, without a path. */
  readonly url: string;
  readonly connections: number;
  /** Most connections that this shard takes; at least 1. */
  readonly capacity: number;
  /** Bytes sent to clients and not yet proven to have arrived. */
  readonly backlogBytes: number;
  readonly egressBytesPerSecond: number;
  /** 0 to 1. */
  readonly loopUtilisation: number;
  readonly tickLatenessMs: number;
  /** Moves its clients away and ends. */
  readonly draining: boolean;
  /** Has lost NATS and serves what it had. */
  readonly stale: boolean;
  /** Has caught up and takes clients. */
  readonly ready: boolean;
  /** Which rollout it belongs to; empty outside Kubernetes. */
  readonly revision: string;
  /** The sender's wall clock, only to report how far it is from ours. */
  readonly wallMs: number;
}

/** The beat as JSON. Throws a `RangeError` where it is not one that `decodeBeat` would take. */
export function encodeBeat(_beat: Beat): Uint8Array {
  throw new Error('not there yet');
}

/** The beat in these bytes, or nothing where they are not one. Never throws. */
export function decodeBeat(_bytes: Uint8Array): Beat | undefined {
  throw new Error('not there yet');
}
