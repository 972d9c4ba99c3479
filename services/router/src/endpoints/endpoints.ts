// The second opinion on the shards: their endpoints, as Kubernetes sees them. Only while that view is fresh; with none,
// or an old one, beats decide alone.
import type { ShardEntry } from '@weir/fleet';
import type { KubeApi } from '@weir/kubernetes';
import { ObjectWatch } from '@weir/kubernetes';
import { readEndpoints, SecondOpinion } from './second-opinion.ts';

/** Where the endpoints are. */
export interface EndpointsOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly clock: { monotonicMs(): number };
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  readonly onProblem: (error: unknown) => void;
}

/** What Kubernetes says. */
export interface Endpoints {
  start(): void;
  /** The entries with those as draining that are leaving. */
  weigh(entries: readonly ShardEntry[]): readonly ShardEntry[];
  /** Since when nothing proved that the view is right; infinite before the first. */
  readonly ageMs: number;
  stop(): Promise<void>;
}

/** A quiet watch proves itself twice a minute; what is older is no opinion. */
const maxAgeMs = 60_000;

/** Makes the view; it does not look yet. */
export function createEndpoints(o: EndpointsOptions): Endpoints {
  const monotonicMs = (): number => o.clock.monotonicMs();
  const opinion = new SecondOpinion(monotonicMs);
  const watch = new ObjectWatch({
    api: o.api,
    path: `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(o.namespace)}/endpointslices`,
    labelSelector: o.labelSelector,
    read: readEndpoints,
    onView: () => opinion.observe(watch.items.values()),
    onProblem: o.onProblem,
    monotonicMs,
    random: o.random,
  });
  return {
    start: () => watch.start(),
    weigh: (entries) => (watch.ageMs <= maxAgeMs ? opinion.weigh(entries) : entries),
    get ageMs() {
      return watch.ageMs;
    },
    stop: () => watch.stop(),
  };
}
