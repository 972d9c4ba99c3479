// Keeps the deletion cost of the pods. Writes at most once per second in total and once per minute and pod, and only
// on a change of bucket (case H11). A new leader waits a minute, because it does not know the last writes of the one
// before.
import { newCost } from './cost.ts';

/** A pod's data for its cost. */
export interface PricedPod {
  readonly name: string;
  readonly uid: string;
  /** The cost on the pod now. */
  readonly deletionCost: string | undefined;
  readonly connections: number;
}

/** The dependencies of the keeper. */
export interface DeletionCostsOptions {
  readonly monotonicMs: () => number;
  readonly leading: () => boolean;
  /** Live pods that have been heard. */
  readonly pods: () => readonly PricedPod[];
  readonly write: (pod: PricedPod, cost: number) => Promise<void>;
}

const everyMs = 60_000;

/** One step a second. */
export class DeletionCosts {
  readonly #o: DeletionCostsOptions;
  /** When each pod, by uid, was written last. */
  readonly #writtenMs = new Map<string, number>();
  #leadingSinceMs: number | undefined;
  #writing = false;

  constructor(options: DeletionCostsOptions) {
    this.#o = options;
  }

  /** Writes at most one pod. Rejects if that failed; the pod's minute counts all the same. */
  async step(): Promise<void> {
    const nowMs = this.#o.monotonicMs();
    if (!this.#o.leading()) {
      this.#leadingSinceMs = undefined;
      return;
    }
    this.#leadingSinceMs ??= nowMs;
    if (this.#writing || nowMs - this.#leadingSinceMs < everyMs) return;
    const pods = this.#o.pods();
    this.#forget(pods);
    const next = this.#next(pods, nowMs);
    if (next === undefined) return;
    this.#writtenMs.set(next.pod.uid, nowMs);
    this.#writing = true;
    try {
      await this.#o.write(next.pod, next.cost);
    } finally {
      this.#writing = false;
    }
  }

  /** Of the pods with a changed cost that may be written, the one that has waited longest. */
  #next(
    pods: readonly PricedPod[],
    nowMs: number,
  ): { readonly pod: PricedPod; readonly cost: number } | undefined {
    let oldest: { readonly pod: PricedPod; readonly cost: number; readonly atMs: number } | undefined;
    for (const pod of pods) {
      const atMs = this.#writtenMs.get(pod.uid) ?? Number.NEGATIVE_INFINITY;
      if (nowMs - atMs < everyMs || (oldest !== undefined && atMs >= oldest.atMs)) continue;
      const cost = newCost(pod.connections, pod.deletionCost);
      if (cost !== undefined) oldest = { pod, cost, atMs };
    }
    return oldest;
  }

  #forget(pods: readonly PricedPod[]): void {
    const there = new Set(pods.map(({ uid }) => uid));
    for (const uid of this.#writtenMs.keys()) if (!there.has(uid)) this.#writtenMs.delete(uid);
  }
}
