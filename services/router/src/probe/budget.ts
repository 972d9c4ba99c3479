// How many bytes of pads all probes of this process may send a second: a reconnect storm must not fill the link.
// Must never wait: a probe that gets nothing measures the RTT alone.

export interface ProbeBudget {
  take(bytes: number): boolean;
}

/** A token bucket that holds one second's worth. */
export function createProbeBudget(o: {
  readonly bytesPerSecond: number;
  readonly clock: { monotonicMs(): number };
}): ProbeBudget {
  let available = o.bytesPerSecond;
  let atMs = o.clock.monotonicMs();
  return {
    take(bytes: number): boolean {
      const nowMs = o.clock.monotonicMs();
      available = Math.min(o.bytesPerSecond, available + ((nowMs - atMs) * o.bytesPerSecond) / 1000);
      atMs = nowMs;
      if (bytes > available) return false;
      available -= bytes;
      return true;
    },
  };
}
