// The second opinion on who is alive: what Kubernetes says of the shards' endpoints. Pure: the EndpointSlices are given.
// It can only take shards away, never add one, and never the last ones: beats alone are enough to be used.
import type { ShardEntry } from '@weir/fleet';

/** One endpoint of a slice that is a pod. */
export interface Endpoint {
  /** Name of the pod, which is the id of the shard. */
  readonly shard: string;
  readonly uid: string;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** What Kubernetes says of a shard; `gone`: it was there a moment ago. */
export type Verdict = 'serving' | 'notServing' | 'terminating' | 'gone';

/** Longer than beats need to notice a silence, short enough to remember little. */
const rememberGoneMs = 60_000;
const maxShards = 10_000;

/** The pods in an EndpointSlice of `discovery.k8s.io/v1`; whatever else is in it is left out. Never throws. */
export function readEndpoints(slice: unknown): readonly Endpoint[] {
  const endpoints: unknown = at(slice, 'endpoints');
  if (!Array.isArray(endpoints)) return [];
  return endpoints.flatMap((endpoint: unknown) => {
    const target = at(endpoint, 'targetRef');
    const shard = at(target, 'name');
    if (at(target, 'kind') !== 'Pod' || typeof shard !== 'string' || shard === '') return [];
    const conditions = at(endpoint, 'conditions');
    // What is not said means: ready and serving, not terminating.
    const serving = (at(conditions, 'serving') ?? at(conditions, 'ready')) !== false;
    return [
      { shard, uid: String(at(target, 'uid')), serving, terminating: at(conditions, 'terminating') === true },
    ];
  });
}

/** Remembers who was there, to say who is gone. */
export class SecondOpinion {
  readonly #monotonicMs: () => number;
  #now: ReadonlyMap<string, Verdict> = new Map();
  readonly #goneMs = new Map<string, number>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Takes all slices as they are at this moment. */
  observe(slices: Iterable<readonly Endpoint[]>): void {
    const nowMs = this.#monotonicMs();
    const next = verdicts(slices);
    for (const shard of this.#now.keys()) if (!next.has(shard)) this.#goneMs.set(shard, nowMs);
    for (const [shard, atMs] of this.#goneMs) {
      if (next.has(shard) || nowMs - atMs > rememberGoneMs) this.#goneMs.delete(shard);
    }
    this.#now = next;
  }

  /** Nothing where Kubernetes has not said anything of this shard, as of one that has just started. */
  of(shard: string): Verdict | undefined {
    const known = this.#now.get(shard);
    if (known !== undefined) return known;
    const goneMs = this.#goneMs.get(shard);
    return goneMs !== undefined && this.#monotonicMs() - goneMs <= rememberGoneMs ? 'gone' : undefined;
  }

  /**
   * The entries with those as draining that Kubernetes says are leaving, gone or not serving. Where that would leave
   * nobody who could take a client, the entries as they are: a wrong selector must not close the cluster.
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

/** One pod may stand in several slices, and two pods of one name may follow each other. */
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

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
