// For tests: entries of the table of shards.
import type { ShardEntry } from '@weir/fleet';
import { entryOf as shardEntry } from '@weir/fleet/fakes';

/** A shard that takes every client. */
export function entry(given: Partial<ShardEntry> = {}): ShardEntry {
  const { shard = 'd1' } = given;
  return shardEntry(shard, { url: `ws://${shard}.example:8081`, capacity: 100_000, ...given });
}

/** A shard with room for ten clients. */
export function entryOf(shard: string, over: Partial<ShardEntry> = {}): ShardEntry {
  return entry({ shard, capacity: 10, ...over });
}
