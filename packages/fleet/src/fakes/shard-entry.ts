// For tests of all packages: a shard that takes clients, as its beat says and as the table of shards has it.
import type { Beat } from '../beat.ts';
import type { ShardEntry } from '../roster.ts';

export function beatOf(shard: string, over: Partial<Beat> = {}): Beat {
  return {
    v: 1,
    pool: 'desktop',
    shard,
    url: 'ws://shard.example',
    connections: 0,
    capacity: 10,
    backlogBytes: 0,
    egressBytesPerSecond: 0,
    loopUtilisation: 0,
    tickLatenessMs: 0,
    draining: false,
    stale: false,
    ready: true,
    revision: '',
    wallMs: 0,
    ...over,
  };
}

export function entryOf(shard: string, over: Partial<ShardEntry> = {}): ShardEntry {
  return { ...beatOf(shard), ticketsSinceBeat: 0, lastSeenMs: 0, skewMs: 0, ...over };
}
