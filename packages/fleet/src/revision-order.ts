// Orders a pool's revisions by age. Revisions are opaque hashes in Kubernetes, so the order is the order of their first
// heartbeats. Never guesses: revisions that appeared together count as equally new. A revision that disappears and
// returns, as in a rollback, counts as new.
import type { Beat } from './beat.ts';

interface Appeared {
  readonly atMs: number;
  readonly order: number;
  lastMs: number;
}

interface Pool {
  readonly revisions: Map<string, Appeared>;
  /** Start of the time in which the pool has been heard without a break. */
  heardSinceMs: number;
  lastMs: number;
}

/**
 * A pool has two revisions in a rollout and more after several rollouts; above this number the oldest are forgotten.
 */
const maxRevisions = 16;
const maxPools = 64;
/** A revision that was silent for this time while others of its pool were heard is gone. */
const goneMs = 10_000;

/** Numbers the revisions of each pool by the time of their first heartbeat. */
export class RevisionOrder {
  readonly #pools = new Map<string, Pool>();
  readonly #togetherMs: number;

  /**
   * Revisions that appear within `togetherMs` of a pool's first one are older than this process: they have no order.
   */
  constructor(togetherMs: number) {
    this.#togetherMs = togetherMs;
  }

  /** The number of this heartbeat's revision: 0 for revisions from the start, then rising. */
  order({ pool: name, revision }: Pick<Beat, 'pool' | 'revision'>, nowMs: number): number {
    const pool = this.#of(name, nowMs);
    // If no shard was heard, NATS was down; a shard that reappears after that was never gone.
    if (nowMs - pool.lastMs > this.#togetherMs) pool.heardSinceMs = nowMs;
    pool.lastMs = nowMs;
    const { revisions } = pool;
    const known = revisions.get(revision);
    if (known !== undefined && !isGone(known, pool, nowMs)) {
      known.lastMs = nowMs;
      return known.order;
    }
    const all = [...revisions.values()];
    const firstMs = Math.min(nowMs, ...all.map(({ atMs }) => atMs));
    const newest = Math.max(-1, ...all.map(({ order }) => order));
    const atStart = nowMs - firstMs <= this.#togetherMs && newest <= 0;
    const order = atStart ? 0 : newest + 1;
    revisions.delete(revision);
    dropOldest(revisions, maxRevisions);
    revisions.set(revision, { atMs: nowMs, order, lastMs: nowMs });
    return order;
  }

  #of(name: string, nowMs: number): Pool {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    dropOldest(this.#pools, maxPools);
    const pool: Pool = { revisions: new Map(), heardSinceMs: nowMs, lastMs: nowMs };
    this.#pools.set(name, pool);
    return pool;
  }
}

function isGone(known: Appeared, { heardSinceMs }: Pool, nowMs: number): boolean {
  return nowMs - known.lastMs > goneMs && nowMs - heardSinceMs > goneMs;
}

/** Makes room for one more entry; maps keep the order of insertion. */
function dropOldest(map: Map<string, unknown>, max: number): void {
  const [oldest] = map.keys();
  if (map.size >= max && oldest !== undefined) map.delete(oldest);
}
