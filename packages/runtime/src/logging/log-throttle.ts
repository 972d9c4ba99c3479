// Rate limit for a log line that may repeat without end.
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';

/**
 * Returns a function that runs its argument at most once per `intervalMs`, and passes it the number of calls suppressed
 * since the last run. The first call runs at once.
 */
export function logThrottle(
  intervalMs: number,
  clock: Clock = systemClock,
): (run: (suppressed: number) => void) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (run) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastMs < intervalMs) {
      suppressed += 1;
      return;
    }
    const count = suppressed;
    lastMs = nowMs;
    suppressed = 0;
    run(count);
  };
}
