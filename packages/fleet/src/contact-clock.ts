// A monotonic clock that stops while this process hears nothing from NATS: shards that cannot be heard are not dead.
// Must never jump forward: after a pause it continues where it stopped.

/** The roster's clock, and the signals that drive it. */
export interface ContactClock {
  monotonicMs(): number;
  wallMs(): number;
  /** Call it when a heartbeat or an echo has just proven that NATS is there. */
  heard(): void;
  /** Whether there has been no such proof for too long. */
  readonly outOfTouch: boolean;
}

/** Silence after which the clock stops. Together with a heartbeat that is a second old it is still less than 3 s. */
const patienceMs = 1_500;
/** After a pause, the time that shards have to be heard again before the clock continues: they reconnect too. */
const settleMs = 5_000;

/** Makes the clock; it starts stopped. */
export function createContactClock(clock: { monotonicMs(): number; wallMs(): number }): ContactClock {
  // The clock reached `base` at `sinceMs` and continues from there, for at most `patienceMs`.
  let base = 0;
  let sinceMs = clock.monotonicMs();
  let settledMs = sinceMs;
  let everHeard = false;
  const isOutOfTouch = (): boolean => !everHeard || clock.monotonicMs() - sinceMs > patienceMs;
  const now = (): number => {
    const fromMs = Math.max(sinceMs, settledMs);
    return base + Math.max(0, Math.min(clock.monotonicMs(), sinceMs + patienceMs) - fromMs);
  };
  return {
    monotonicMs: now,
    wallMs: () => clock.wallMs(),
    heard() {
      const nowMs = clock.monotonicMs();
      const paused = everHeard && isOutOfTouch();
      base = now();
      sinceMs = nowMs;
      if (paused) settledMs = nowMs + settleMs;
      everHeard = true;
    },
    get outOfTouch() {
      return isOutOfTouch();
    },
  };
}
