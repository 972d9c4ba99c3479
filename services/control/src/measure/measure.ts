// Joins pods with heartbeats into the load of each live pod. A pod that has not been heard yet has no clients: zero. A
// pod that has fallen silent is left out: an autoscaler takes a missing pod for average and never scales down on it.
import type { ShardEntry } from '@weir/fleet';
import type { ShardPod } from '../observe/pod.ts';
import type { Measured } from './metric-names.ts';
import { Smoother } from './smooth.ts';

/** A live pod and its load. */
export interface PodMeasure {
  readonly pod: ShardPod;
  readonly pool: string;
  readonly measured: Measured;
}

/** The state of the live pods. */
export interface PodCounts {
  readonly measured: number;
  readonly starting: number;
  readonly silent: number;
}

const nothing: Measured = {
  connections: 0,
  healthyBacklogBytes: 0,
  awaitedBytes: 0,
  egressBytesPerSecond: 0,
  loopUtilisation: 0,
  tickLatenessMs: 0,
};

/** Remembers the heard pods, to tell a starting pod from a silent one. */
export class Measures {
  readonly #smoother = new Smoother();
  /** Pods by uid that have been heard, or may have been heard before this process listened. */
  #heard = new Set<string>();
  #first = true;
  #pods: readonly PodMeasure[] = [];
  #counts: PodCounts = { measured: 0, starting: 0, silent: 0 };

  /**
   * Updates from the current pods and heartbeats, once a second. `pods` are those that run and are not being deleted.
   */
  observe(pods: readonly ShardPod[], entries: readonly ShardEntry[]): void {
    this.#smoother.observe(entries);
    const beats = new Map(entries.map((entry) => [entry.shard, entry]));
    const heard = new Set<string>();
    const measures: PodMeasure[] = [];
    let silent = 0;
    for (const pod of pods) {
      const entry = beats.get(pod.name);
      // A pod that is older than this process may have clients although it was not heard.
      if (entry !== undefined || this.#first || this.#heard.has(pod.uid)) heard.add(pod.uid);
      const measured = entry === undefined ? undefined : this.#smoother.of(pod.name);
      if (measured !== undefined) measures.push({ pod, pool: entry?.pool ?? '', measured });
      else if (heard.has(pod.uid)) silent += 1;
      else measures.push({ pod, pool: pod.pool, measured: nothing });
    }
    this.#heard = heard;
    this.#first = false;
    this.#pods = measures;
    const known = measures.filter(({ measured }) => measured !== nothing).length;
    this.#counts = { measured: known, starting: measures.length - known, silent };
  }

  get pods(): readonly PodMeasure[] {
    return this.#pods;
  }

  get counts(): PodCounts {
    return this.#counts;
  }
}
