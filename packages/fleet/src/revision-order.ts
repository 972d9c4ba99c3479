// Which of a pool's revisions is the newer one. Revisions are opaque hashes in Kubernetes, so the order is the
// order in which they appeared. Never guesses: what appeared together counts as equally new.
import type { Beat } from './beat.ts';

interface Appeared {
  readonly atMs: number;
  readonly order: number;
}

/** A pool has two in a rollout; more come from rollouts in a row, and beyond this the oldest are forgotten. */
const maxRevisions = 16;
const maxPools = 64;

/** Numbers the revisions of each pool by the time of their first beat. */
export class RevisionOrder {
  readonly #pools = new Map<string, Map<string, Appeared>>();
  readonly #togetherMs: number;

  /** Revisions that appear within `togetherMs` of a pool's first one were there before us: no order. */
  constructor(togetherMs: number) {
    this.#togetherMs = togetherMs;
  }

  /** The place of this beat's revision: 0 for what was there at the start, then rising. */
  order({ pool, revision }: Pick<Beat, 'pool' | 'revision'>, nowMs: number): number {
    const revisions = this.#of(pool);
    const known = revisions.get(revision);
    if (known !== undefined) return known.order;
    const all = [...revisions.values()];
    const firstMs = Math.min(nowMs, ...all.map(({ atMs }) => atMs));
    const newest = Math.max(-1, ...all.map(({ order }) => order));
    const atStart = nowMs - firstMs <= this.#togetherMs && newest <= 0;
    const order = atStart ? 0 : newest + 1;
    dropOldest(revisions, maxRevisions);
    revisions.set(revision, { atMs: nowMs, order });
    return order;
  }

  #of(pool: string): Map<string, Appeared> {
    const known = this.#pools.get(pool);
    if (known !== undefined) return known;
    dropOldest(this.#pools, maxPools);
    const revisions = new Map<string, Appeared>();
    this.#pools.set(pool, revisions);
    return revisions;
  }
}

/** Makes room for one more; maps keep the order of insertion. */
function dropOldest(map: Map<string, unknown>, max: number): void {
  const [oldest] = map.keys();
  if (map.size >= max && oldest !== undefined) map.delete(oldest);
}
