// The two clocks: monotonic for every timeout and age, wall for times that people and other machines read.

/** Code that needs time takes a clock, so that a test can control it. */
export interface Clock {
  /** Milliseconds that never go back, from an arbitrary origin. */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump in either direction at any time. */
  wallMs(): number;
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
