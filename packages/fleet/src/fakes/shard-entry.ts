// For tests: the beat of a shard that takes clients.
import type { Beat } from '../beat.ts';

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
