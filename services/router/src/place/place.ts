// Chooses a shard for a new client. Pure: the table and the randomness are given.
// Never picks a shard that is draining, not ready or full; a stale one only where there is no other.
import type { ShardEntry } from '@weir/fleet';

/** Where a client goes, or why nowhere. */
export type Placement =
  | { readonly shard: ShardEntry; readonly reason: 'best' | 'otherPool' | 'stale' }
  | { readonly none: 'empty' | 'full' | 'draining' | 'notReady' };

/** What `place` chooses from. */
export interface PlaceOptions {
  readonly entries: readonly ShardEntry[];
  /** Preferred first; shards of other pools are not considered. */
  readonly pools: readonly string[];
  /** Shard id to avoid where there is any other. */
  readonly exclude?: string | undefined;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
}

/**
 * Goes through the pools in the order given, first for shards that are in touch with NATS, then for those
 * that serve what they had. Within a pool the newest revision comes first, then the better of two random
 * choices by load.
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

/** Share of its capacity that a shard has given away; 1 and more is full. */
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

/** The less loaded of two different ones drawn at random: close to the best, without everybody choosing it. */
function better(entries: readonly ShardEntry[], random: () => number): ShardEntry | undefined {
  const first = Math.floor(random() * entries.length);
  const second = Math.floor(random() * (entries.length - 1));
  const one = entries[first];
  const other = entries[second < first ? second : second + 1];
  if (one === undefined || other === undefined) return one;
  return load(other) < load(one) ? other : one;
}

/** The reason that will pass soonest: a full shard is the nearest to taking somebody. */
function whyNone(entries: readonly ShardEntry[]): 'empty' | 'full' | 'draining' | 'notReady' {
  if (entries.length === 0) return 'empty';
  if (entries.some((entry) => entry.ready && !entry.draining)) return 'full';
  return entries.some((entry) => !entry.draining) ? 'notReady' : 'draining';
}
