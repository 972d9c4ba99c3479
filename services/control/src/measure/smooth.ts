// Means over the last half minute, so that one second's spike adds no pod. Connections are not smoothed: they are what
// they are. Bounded by who is alive; ages are the beats' own.
import type { ShardEntry } from '@weir/fleet';
import type { Measured } from './metric-names.ts';

/** After this long a change shows with two thirds of its size; after 30 s with 86 %. */
const memoryMs = 15_000;

interface Known {
  readonly lastSeenMs: number;
  readonly url: string;
  readonly measured: Measured;
}

/** Exponentially weighted means of each shard's load. */
export class Smoother {
  #known = new Map<string, Known>();

  /** Takes in the beats that are new since the last call, and forgets who is not there any more. */
  observe(entries: readonly ShardEntry[]): void {
    const next = new Map<string, Known>();
    for (const entry of entries) {
      const before = this.#known.get(entry.shard);
      const { lastSeenMs, url } = entry;
      // Another address: another process that has the id of one before it.
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
  // A process that starts is busy with itself: what its first beat says of its loop would count for half a minute.
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
