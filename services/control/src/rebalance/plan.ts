// Which shards of a pool have too many clients, and by how many. Pure. Plans no moves unless every shard takes part: a
// pool in motion settles by itself, and moves in that time would move some clients twice.
import type { ShardEntry } from '@weir/fleet';

/** When a shard has too many clients. Both conditions must hold. */
export interface Tolerance {
  /** Factor above the average. */
  readonly ratio: number;
  /** Number of clients above the average. */
  readonly connections: number;
}

/** Clients that a shard should move away. */
export interface Donor {
  readonly shard: string;
  readonly surplus: number;
}

/** EMQX's values. */
export const tolerance: Tolerance = { ratio: 1.1, connections: 50 };

/** Why a pool cannot be rebalanced now; undefined if every shard takes part. */
export type Hindrance = 'few' | 'draining' | 'notReady' | 'stale' | 'rollout' | 'unheard';

/** `unheard`: how many live pods of the pool have not been heard; 0 outside Kubernetes. */
export function hindrance(entries: readonly ShardEntry[], unheard: number): Hindrance | undefined {
  if (entries.length < 2) return 'few';
  if (entries.some(({ draining }) => draining)) return 'draining';
  if (entries.some(({ ready }) => !ready)) return 'notReady';
  if (entries.some(({ stale }) => stale)) return 'stale';
  if (new Set(entries.map(({ revision }) => revision)).size > 1) return 'rollout';
  return unheard > 0 ? 'unheard' : undefined;
}

/** Connections of all shards together. */
export function connectionsOf(entries: readonly ShardEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.connections, 0);
}

/**
 * The shards that shed, down to the average; empty if the pool is balanced. Never more than the other shards have room
 * for.
 */
export function plan(entries: readonly ShardEntry[], { ratio, connections }: Tolerance): readonly Donor[] {
  const average = connectionsOf(entries) / Math.max(1, entries.length);
  const donors = entries.filter(
    (entry) => entry.connections > average * ratio && entry.connections > average + connections,
  );
  const room = entries
    .filter((entry) => !donors.includes(entry))
    .reduce((sum, entry) => sum + Math.max(0, Math.min(average, entry.capacity) - entry.connections), 0);
  let left = Math.floor(room);
  return donors.flatMap(({ shard, connections: has }) => {
    const surplus = Math.min(left, Math.floor(has - average));
    left -= surplus;
    return surplus > 0 ? [{ shard, surplus }] : [];
  });
}
