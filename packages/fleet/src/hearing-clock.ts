// A monotonic clock that stands still while we are deaf: silence that we cannot hear is no sign that shards are dead.
// Must never jump forward: after a pause it goes on from where it stood.

/** The clock that the roster is given, and the ear that drives it. */
export interface HearingClock {
  monotonicMs(): number;
  wallMs(): number;
  /** NATS proved a moment ago that it is there: a beat came, or an echo. */
  heard(): void;
  /** Whether nothing has proved it for too long. */
  readonly deaf: boolean;
}

/** How long nothing may be heard before the clock stops: with a beat that is a second old, still less than 3 s. */
const patienceMs = 1_500;
/** After a pause the shards get so long to be heard again before the clock goes on: they reconnect too. */
const settleMs = 5_000;

/** Makes the clock; it begins deaf. */
export function createHearingClock(clock: { monotonicMs(): number; wallMs(): number }): HearingClock {
  // Our own time: `base` was reached at `sinceMs` and goes on from there, for `patienceMs` at most.
  let base = 0;
  let sinceMs = clock.monotonicMs();
  let settledMs = sinceMs;
  let everHeard = false;
  const isDeaf = (): boolean => !everHeard || clock.monotonicMs() - sinceMs > patienceMs;
  const now = (): number => {
    const fromMs = Math.max(sinceMs, settledMs);
    return base + Math.max(0, Math.min(clock.monotonicMs(), sinceMs + patienceMs) - fromMs);
  };
  return {
    monotonicMs: now,
    wallMs: () => clock.wallMs(),
    heard() {
      const nowMs = clock.monotonicMs();
      const paused = everHeard && isDeaf();
      base = now();
      sinceMs = nowMs;
      if (paused) settledMs = nowMs + settleMs;
      everHeard = true;
    },
    get deaf() {
      return isDeaf();
    },
  };
}
