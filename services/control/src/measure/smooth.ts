// Means over the last half minute: a spike of one second must not add a pod. Connections are not smoothed. Bounded by
// the number of live shards; ages are the heartbeats' own.
import type { ShardEntry } from '@weir/fleet';
import type { Measured } from './metric-names.ts';

/** After this time a change shows with two thirds of its size; after 30 s with 86 %. */
const memoryMs = 15_000;

interface Known {
  readonly lastSeenMs: number;
  readonly url: string;
  readonly measured: Measured;
}

/** Exponentially weighted means of each shard's load. */
export class Smoother {
  #known = new Map<string, Known>();

  /** Adds the heartbeats since the last call, and forgets shards that are gone. */
  observe(entries: readonly ShardEntry[]): void {
    const next = new Map<string, Known>();
    for (const entry of entries) {
      const before = this.#known.get(entry.shard);
      const { lastSeenMs, url } = entry;
      // Another address: another process with the id of an earlier one.
      const same = before?.url === url ? before : undefined;
      if (same !== undefined && same.lastSeenMs === lastSeenMs) next.set(entry.shard, same);
      else next.set(entry.shard, { lastSeenMs, url, measured: blend(same, entry) });
    }
    this.#known = next;
  }

  of(shard: string): Measured | undefined {
    return this.#known.get(shard)?.measured;
  }
}

function blend(before: Known | undefined, entry: ShardEntry): Measured {
  const now: Measured = {
    connections: entry.connections,
    healthyBacklogBytes: entry.healthyBacklogBytes ?? entry.backlogBytes,
    awaitedBytes: entry.awaitedBytes ?? entry.healthyBacklogBytes ?? entry.backlogBytes,
    egressBytesPerSecond: entry.egressBytesPerSecond,
    loopUtilisation: entry.loopUtilisation,
    tickLatenessMs: entry.tickLatenessMs,
  };
  // A starting process is busy with itself: the event loop value of its first heartbeat would count for half a minute.
  if (before === undefined) return { ...now, loopUtilisation: 0, tickLatenessMs: 0 };
  const share = 1 - Math.exp(-Math.max(0, entry.lastSeenMs - before.lastSeenMs) / memoryMs);
  const mix = (old: number, fresh: number): number => old + (fresh - old) * share;
  const { measured } = before;
  return {
    connections: now.connections,
    healthyBacklogBytes: mix(measured.healthyBacklogBytes, now.healthyBacklogBytes),
    awaitedBytes: mix(measured.awaitedBytes, now.awaitedBytes),
    egressBytesPerSecond: mix(measured.egressBytesPerSecond, now.egressBytesPerSecond),
    loopUtilisation: mix(measured.loopUtilisation, now.loopUtilisation),
    tickLatenessMs: mix(measured.tickLatenessMs, now.tickLatenessMs),
  };
}
