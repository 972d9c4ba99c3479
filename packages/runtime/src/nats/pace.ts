// The wait between two attempts, and a check whether the wall clock was set back meanwhile.
import type { Clock } from '../clock.ts';

/** Shortest and longest wait between two attempts at one server, in milliseconds. */
export const reconnectWait = { minMs: 250, maxMs: 2_000 } as const;

/** A random wait, so that the services of a cluster do not reconnect in step. `random` returns 0 ≤ n < 1. */
export function reconnectWaitMs(random: () => number): number {
  return Math.round(reconnectWait.minMs + random() * (reconnectWait.maxMs - reconnectWait.minMs));
}

/**
 * Returns a check that is true if the wall clock went back since the last call. The library compares wall times between
 * attempts: after a step back of an hour it would not retry for an hour (docs/reliability.md, case C8).
 */
export function clockSetBack(clock: Clock, toleranceMs = 100): () => boolean {
  let offsetMs = clock.wallMs() - clock.monotonicMs();
  return () => {
    const nowMs = clock.wallMs() - clock.monotonicMs();
    const back = nowMs < offsetMs - toleranceMs;
    offsetMs = nowMs;
    return back;
  };
}
