// Chooses a shard for a new client. Pure: the table and the randomness are given.
import type { ShardEntry } from './roster.ts';

/** Where a client goes, or why nowhere. */
export type Placement =
  | { readonly shard: ShardEntry; readonly reason: 'best' | 'otherPool' | 'stale' }
  | { readonly none: 'empty' | 'full' | 'draining' | 'notReady' };

/** Chooses. */
export function place(_options: {
  readonly entries: readonly ShardEntry[];
  /** Preferred first. */
  readonly pools: readonly string[];
  /** Shard id to avoid where there is any other. */
  readonly exclude?: string | undefined;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
}): Placement {
  throw new Error('not there yet');
}
