// The two clocks: monotonic for every timeout and age, wall for what people and other machines read.

/** Passed in wherever time matters, so that tests own it. */
export interface Clock {
  /** Milliseconds that never go back; the origin means nothing. */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump either way at any moment. */
  wallMs(): number;
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
