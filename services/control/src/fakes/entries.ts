// Shards and pods for tests.
import type { ShardEntry } from '@weir/fleet';
import { entryOf as aShard } from '@weir/fleet/fakes';
import type { ShardPod } from '../observe/pod.ts';

/** A healthy shard. */
export function entryOf(shard: string, over: Partial<ShardEntry> = {}): ShardEntry {
  return aShard(shard, { url: `ws://${shard}.example`, capacity: 10_000, revision: 'r1', ...over });
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
