// Measures how busy this process was during a probe: a pong that waits for the event loop makes a client look distant.
// Must cost at most two readings per measurement.
import { performance } from 'node:perf_hooks';

/** Starts a measurement; the result returns the busy share of the event loop since then, 0 to 1. */
export function watchLoop(): () => number {
  const begin = performance.eventLoopUtilization();
  return () => performance.eventLoopUtilization(begin).utilization;
}
