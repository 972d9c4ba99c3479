// Chooses a shard for a new client. Pure: the table and the randomness are given.
import type { ShardEntry } from './roster.ts';

/** Where a client goes, or why nowhere. */
export type Placement =
  | { readonly shard: ShardEntry; readonly reason: 'best' | 'otherPool' | 'stale' }
  | { readonly none: 'empty' | 'full' | 'draining' | 'notReady' };

/** What `place` chooses from. */
export interface PlaceOptions {
  readonly entries: readonly ShardEntry[];
  /** Preferred first. */
  readonly pools: readonly string[];
  /** Shard id to avoid where there is any other. */
  readonly exclude?: string | undefined;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
}

/**
 * Chooses: first who may take anybody at all (not draining, not full, ready), then the first pool that has such a
 * shard, fresh ones before stale ones, then the better of two random ones by load.
 */
export function place({ entries, pools, exclude, random }: PlaceOptions): Placement {
  const known = entries.filter((entry) => pools.includes(entry.pool));
  const open = known.filter((entry) => !entry.draining && entry.ready && !isFull(entry));
  if (open.length === 0) return { none: whyNone(known) };
  const others = open.filter((entry) => entry.shard !== exclude);
  const candidates = others.length > 0 ? others : open;
  for (const stale of [false, true]) {
    for (const [rank, pool] of pools.entries()) {
      const inPool = candidates.filter((entry) => entry.pool === pool && entry.stale === stale);
      const shard = betterOfTwo(inPool, random);
      if (shard !== undefined) return { shard, reason: stale ? 'stale' : rank === 0 ? 'best' : 'otherPool' };
    }
  }
  return { none: whyNone(known) };
}

function load(entry: ShardEntry): number {
  return (entry.connections + entry.ticketsSinceBeat) / entry.capacity;
}

function isFull(entry: ShardEntry): boolean {
  return entry.connections + entry.ticketsSinceBeat >= entry.capacity;
}

function betterOfTwo(entries: readonly ShardEntry[], random: () => number): ShardEntry | undefined {
  const first = entries[Math.floor(random() * entries.length)];
  const rest = entries.filter((entry) => entry !== first);
  const second = rest[Math.floor(random() * rest.length)];
  if (first === undefined || second === undefined) return first;
  return load(second) < load(first) ? second : first;
}

function whyNone(entries: readonly ShardEntry[]): 'empty' | 'full' | 'draining' | 'notReady' {
  if (entries.length === 0) return 'empty';
  const staying = entries.filter((entry) => !entry.draining);
  if (staying.length === 0) return 'draining';
  return staying.some((entry) => entry.ready) ? 'full' : 'notReady';
}
