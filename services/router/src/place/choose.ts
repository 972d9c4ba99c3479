// Chooses a shard for a client's class: which pools, and in which order. place.ts chooses within a pool.
// It knows the class and the table of shards, and nothing else of the client.
import type { ShardEntry } from '@weir/fleet';
import type { Placement } from './place.ts';
import { place } from './place.ts';

/** What `choose` decides on. */
export interface Choice {
  readonly entries: readonly ShardEntry[];
  /** All pools, slowest first. */
  readonly pools: readonly string[];
  /** The client's class. */
  readonly pool: string;
  /** A shard to avoid: the one that sent the client away. */
  readonly avoid?: string | undefined;
  /** The shard sent it away because its network does not suit the pool, so any other shard is better. */
  readonly unsuited?: boolean | undefined;
  readonly random: () => number;
}

/** The pool itself, then the slower ones, nearest first, then the faster ones. */
export function preference(pools: readonly string[], pool: string): readonly string[] {
  const at = pools.indexOf(pool);
  if (at < 0) return pools;
  return [pool, ...pools.slice(0, at).reverse(), ...pools.slice(at + 1)];
}

/**
 * A shard for a client of a class, or why there is none. A client moved for rebalancing stays in its pool: if every
 * other shard is full, it returns to the shard it came from.
 */
export function choose({ entries, pools, pool, avoid, unsuited = false, random }: Choice): Placement {
  if (avoid !== undefined && !unsuited) {
    const own = place({ entries, pools: [pool], exclude: avoid, random });
    if ('shard' in own && own.reason === 'best') return own;
  }
  return place({ entries, pools: preference(pools, pool), exclude: avoid, random });
}
