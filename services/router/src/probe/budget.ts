// Limits the bytes of pads per second of all probes of this process: a reconnect storm must not fill the link.
// Must never wait: a probe without budget measures only the RTT.

export interface ProbeBudget {
  take(bytes: number): boolean;
}

/** A token bucket with the bytes of one second. */
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
