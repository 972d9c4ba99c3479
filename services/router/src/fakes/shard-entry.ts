// For tests: entries of the table of shards.
import type { ShardEntry } from '@weir/fleet';

/** A shard that takes every client. */
export function entry(given: Partial<ShardEntry> = {}): ShardEntry {
  const shard = given.shard ?? 'd1';
  return {
    v: 1,
    pool: 'desktop',
    shard,
    url: `ws://${shard}.example:8081`,
    connections: 0,
    capacity: 100_000,
    backlogBytes: 0,
    egressBytesPerSecond: 0,
    loopUtilisation: 0,
    tickLatenessMs: 0,
    draining: false,
    stale: false,
    ready: true,
    revision: '',
    wallMs: 0,
    ticketsSinceBeat: 0,
    lastSeenMs: 0,
    skewMs: 0,
    ...given,
  };
}

/** A shard with room for ten clients. */
export function entryOf(shard: string, over: Partial<ShardEntry> = {}): ShardEntry {
  return entry({ shard, capacity: 10, ...over });
}
