// A second source for the live shards: Kubernetes' endpoints. Pure: the caller passes in the EndpointSlices. It can
// only remove shards, never add one, and never the last ones: a shard with heartbeats is usable without endpoints.
import type { ShardEntry } from '@weir/fleet';
import { listAt, member } from '@weir/kubernetes';

/** One endpoint of a slice that is a pod. */
export interface Endpoint {
  /** Name of the pod, which is the shard's id. */
  readonly shard: string;
  readonly uid: string;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** The state of a shard in Kubernetes; `gone`: it was there a moment ago. */
export type Verdict = 'serving' | 'notServing' | 'terminating' | 'gone';

/** Longer than heartbeats need to show a silence, and short enough to remember few shards. */
const rememberGoneMs = 60_000;
const maxShards = 10_000;

/** The pods in an EndpointSlice of `discovery.k8s.io/v1`; skips everything else in it. Never throws. */
export function readEndpoints(slice: unknown): readonly Endpoint[] {
  return listAt(slice, 'endpoints').flatMap((endpoint) => {
    const shard = member(endpoint, 'targetRef', 'name');
    if (member(endpoint, 'targetRef', 'kind') !== 'Pod' || typeof shard !== 'string' || shard === '')
      return [];
    const uid = String(member(endpoint, 'targetRef', 'uid'));
    const conditions = member(endpoint, 'conditions');
    // Missing conditions mean: ready and serving, not terminating.
    const serving = (member(conditions, 'serving') ?? member(conditions, 'ready')) !== false;
    return [{ shard, uid, serving, terminating: member(conditions, 'terminating') === true }];
  });
}

/** Remembers the shards of earlier slices, to recognise shards that are gone. */
export class SecondOpinion {
  readonly #monotonicMs: () => number;
  #now: ReadonlyMap<string, Verdict> = new Map();
  readonly #goneMs = new Map<string, number>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Updates from all current slices. */
  observe(slices: Iterable<readonly Endpoint[]>): void {
    const nowMs = this.#monotonicMs();
    const next = verdicts(slices);
    for (const shard of this.#now.keys()) if (!next.has(shard)) this.#goneMs.set(shard, nowMs);
    for (const [shard, atMs] of this.#goneMs) {
      if (next.has(shard) || nowMs - atMs > rememberGoneMs) this.#goneMs.delete(shard);
    }
    this.#now = next;
  }

  /** Undefined if Kubernetes has no endpoint of this shard, for example right after its start. */
  of(shard: string): Verdict | undefined {
    const known = this.#now.get(shard);
    if (known !== undefined) return known;
    const goneMs = this.#goneMs.get(shard);
    return goneMs !== undefined && this.#monotonicMs() - goneMs <= rememberGoneMs ? 'gone' : undefined;
  }

  /**
   * The entries, with shards that Kubernetes reports as leaving, gone or not serving marked as draining. If that would
   * leave no shard for a client, the entries stay unchanged: a wrong selector must not close the cluster.
   */
  weigh(entries: readonly ShardEntry[]): readonly ShardEntry[] {
    const weighed = entries.map((entry) => {
      const verdict = this.of(entry.shard);
      const leaves = verdict !== undefined && verdict !== 'serving';
      return leaves && !entry.draining ? { ...entry, draining: true } : entry;
    });
    const open = ({ ready, draining }: ShardEntry): boolean => ready && !draining;
    return weighed.some(open) || !entries.some(open) ? weighed : entries;
  }
}

/** One pod may be in several slices, and two pods with one name may follow each other. */
function verdicts(slices: Iterable<readonly Endpoint[]>): ReadonlyMap<string, Verdict> {
  const pods = new Map<string, Endpoint>();
  for (const endpoints of slices) {
    for (const endpoint of endpoints) {
      const before = pods.get(endpoint.uid);
      if (before === undefined && pods.size >= maxShards) continue;
      pods.set(endpoint.uid, {
        ...endpoint,
        serving: endpoint.serving || before?.serving === true,
        terminating: endpoint.terminating || before?.terminating === true,
      });
    }
  }
  const order: readonly Verdict[] = ['gone', 'terminating', 'notServing', 'serving'];
  const found = new Map<string, Verdict>();
  for (const { shard, serving, terminating } of pods.values()) {
    const verdict = terminating ? 'terminating' : serving ? 'serving' : 'notServing';
    const before = found.get(shard) ?? 'gone';
    if (order.indexOf(verdict) > order.indexOf(before)) found.set(shard, verdict);
  }
  return found;
}
