// What happens to a connection at a backlog: the table of design section 7 as a pure function.

/** `flowing` gets everything, `congested` critical only, `evicted` has to go. */
export type Flow = 'flowing' | 'congested' | 'evicted';

/** Limits of a pool, in bytes and milliseconds. */
export interface FlowLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
  /** Longest time without any proof of delivery, counted only while this process ran. */
  readonly lagMs: number;
}

/**
 * The next state. `backlogBytes` is what has not been proven to arrive; `unansweredMs` is how long a ping has been
 * unanswered, in time that this process ran. Going back to `flowing` wants half of what leaving it took, so that a
 * connection does not flap.
 */
export function nextFlow(flow: Flow, limits: FlowLimits, backlogBytes: number, unansweredMs: number): Flow {
  if (flow === 'evicted' || backlogBytes > limits.hardBytes || unansweredMs >= limits.lagMs) return 'evicted';
  const bound = flow === 'flowing' ? limits.softBytes : limits.softBytes / 2;
  return backlogBytes > bound ? 'congested' : 'flowing';
}
