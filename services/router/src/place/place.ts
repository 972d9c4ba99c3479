// Chooses a shard for a new client. Pure: the caller passes in the table and the randomness.
// Never picks a shard that is draining, not ready or full; picks a stale one only if there is no other.
import type { ShardEntry } from '@weir/fleet';

/** The chosen shard, or why there is none. */
export type Placement =
  | { readonly shard: ShardEntry; readonly reason: 'best' | 'otherPool' | 'stale' }
  | { readonly none: 'empty' | 'full' | 'draining' | 'notReady' };

/** The inputs of `place`. */
export interface PlaceOptions {
  readonly entries: readonly ShardEntry[];
  /** Preferred pool first; shards of other pools are not considered. */
  readonly pools: readonly string[];
  /** Id of a shard to avoid if there is any other. */
  readonly exclude?: string | undefined;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
}

/**
 * Goes through the pools in the given order, first for shards that are connected to NATS, then for stale ones. Within a
 * pool the newest revision comes first, then the less loaded of two random shards.
 */
export function place({ entries, pools, exclude, random }: PlaceOptions): Placement {
  const eligible = entries.filter(({ pool }) => pools.includes(pool));
  const able = eligible.filter((entry) => entry.ready && !entry.draining && !isFull(entry));
  const open = avoiding(able, exclude);
  for (const stale of [false, true]) {
    for (const [index, pool] of pools.entries()) {
      const candidates = open.filter((entry) => entry.pool === pool && entry.stale === stale);
      const shard = better(newest(candidates), random);
      if (shard !== undefined) return { shard, reason: stale ? 'stale' : index === 0 ? 'best' : 'otherPool' };
    }
  }
  return { none: whyNone(eligible) };
}

/** Used share of a shard's capacity; 1 and more is full. */
function load(entry: ShardEntry): number {
  return (entry.connections + entry.ticketsSinceBeat) / entry.capacity;
}

function isFull(entry: ShardEntry): boolean {
  return !(load(entry) < 1);
}

function avoiding(entries: readonly ShardEntry[], shard: string | undefined): readonly ShardEntry[] {
  const others = entries.filter((entry) => entry.shard !== shard);
  return others.length > 0 ? others : entries;
}

function newest(entries: readonly ShardEntry[]): readonly ShardEntry[] {
  const order = entries.reduce((most, { revisionOrder = 0 }) => Math.max(most, revisionOrder), 0);
  return entries.filter(({ revisionOrder = 0 }) => revisionOrder === order);
}

/** The less loaded of two random shards: close to the best one, but not every router chooses the same. */
function better(entries: readonly ShardEntry[], random: () => number): ShardEntry | undefined {
  const first = Math.floor(random() * entries.length);
  const second = Math.floor(random() * (entries.length - 1));
  const one = entries[first];
  const other = entries[second < first ? second : second + 1];
  if (one === undefined || other === undefined) return one;
  return load(other) < load(one) ? other : one;
}

/** The reason that will pass soonest: a full shard is the nearest to accepting a client. */
function whyNone(entries: readonly ShardEntry[]): 'empty' | 'full' | 'draining' | 'notReady' {
  if (entries.length === 0) return 'empty';
  if (entries.some((entry) => entry.ready && !entry.draining)) return 'full';
  return entries.some((entry) => !entry.draining) ? 'notReady' : 'draining';
}
