// Reads a histogram of seconds that the fan-out threads have counted.
import type { BucketCounts } from '@weir/runtime';
import type { Shard } from './shard.ts';

/** `at`: where it begins in the threads' memory (counts.ts). */
export function secondsHistogram(at: number, bounds: readonly number[]): (shard: Shard) => BucketCounts {
  return ({ counts }) => {
    const buckets = Array.from({ length: bounds.length + 1 }, (_, place) =>
      counts.sum('histograms', at + place),
    );
    return { buckets, sum: counts.sum('histograms', at + bounds.length + 1) };
  };
}
