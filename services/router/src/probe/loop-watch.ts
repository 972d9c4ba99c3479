// How busy this process was while it measured somebody: a pong that waits for the loop makes a client look far away.
// Must never cost more than two readings a measurement.
import { performance } from 'node:perf_hooks';

/** Begins to watch; the result says which part of the time since then the event loop had work, 0 to 1. */
export function watchLoop(): () => number {
  const begin = performance.eventLoopUtilization();
  return () => performance.eventLoopUtilization(begin).utilization;
}
