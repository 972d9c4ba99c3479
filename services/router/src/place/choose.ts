// Chooses the shard: which pools, in which order, for a class. The choice within a pool is fleet's.
// Must never look at the client: only at its class and at the table.
import type { Placement, ShardEntry } from '@weir/fleet';
import { place } from '@weir/fleet';

/** What `choose` decides on. */
export interface Choice {
  readonly entries: readonly ShardEntry[];
  /** All pools, slowest first. */
  readonly pools: readonly string[];
  /** The client's class. */
  readonly pool: string;
  /** A shard to avoid: the one that sends the client away. */
  readonly avoid?: string | undefined;
  /** Whether it was sent away for its network's sake, so that any other shard is better than that one. */
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
 * A shard for a client of a class, or why there is none. Who is moved for the balance of a pool whose others are full
 * goes back to where it was rather than to a pool that does not suit it.
 */
export function choose({ entries, pools, pool, avoid, unsuited = false, random }: Choice): Placement {
  if (avoid !== undefined && !unsuited) {
    const own = place({ entries, pools: [pool], exclude: avoid, random });
    if ('shard' in own && own.reason === 'best') return own;
  }
  return place({ entries, pools: preference(pools, pool), exclude: avoid, random });
}
