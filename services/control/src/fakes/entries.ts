// Shards and pods for tests.
import type { ShardEntry } from '@weir/fleet';
import type { ShardPod } from '../observe/pod.ts';

/** A healthy shard. */
export function entryOf(shard: string, over: Partial<ShardEntry> = {}): ShardEntry {
  return {
    v: 1,
    pool: 'desktop',
    shard,
    url: `ws://${shard}.example`,
    connections: 0,
    capacity: 10_000,
    backlogBytes: 0,
    egressBytesPerSecond: 0,
    loopUtilisation: 0,
    tickLatenessMs: 0,
    draining: false,
    stale: false,
    ready: true,
    revision: 'r1',
    wallMs: 0,
    ticketsSinceBeat: 0,
    lastSeenMs: 0,
    skewMs: 0,
    ...over,
  };
}

/** A running pod. */
export function podOf(name: string, over: Partial<ShardPod> = {}): ShardPod {
  return {
    name,
    uid: `uid-${name}`,
    pool: 'desktop',
    labels: { 'weir.dev/pool': 'desktop' },
    live: true,
    deletionCost: undefined,
    ...over,
  };
}
