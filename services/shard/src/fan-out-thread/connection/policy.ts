// What happens to a connection at a backlog: the table of docs/slow-clients.md ("What it does") as a pure function.

/** A `flowing` client gets everything, a `congested` one critical messages only, an `evicted` one is closed. */
export type Flow = 'flowing' | 'congested' | 'evicted';

/** Limits of a pool, in bytes and milliseconds. */
export interface FlowLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
  /** Most bytes of a catch-up under way. */
  readonly windowBytes: number;
  /** Longest time without any proof of delivery, counted only while this process ran. */
  readonly lagMs: number;
}

/**
 * Whether a client does not read. `unansweredMs` is how long it has proven nothing, in time that this process ran. A
 * large backlog alone is no reason: publishers may have caused it. While critical messages wait for room (`full`) the
 * time is half as long, because the backlog is as large as it may be.
 */
export function isStuck(full: boolean, unansweredMs: number, limits: FlowLimits): boolean {
  return unansweredMs >= (full ? limits.lagMs / 2 : limits.lagMs);
}

/**
 * The next state. `backlogBytes` is what has not been proven to arrive. A connection returns to
 * `flowing` at half of the backlog at which it left, so that it does not flap.
 */
export function nextFlow(flow: Flow, limits: FlowLimits, backlogBytes: number, stuck: boolean): Flow {
  if (flow === 'evicted' || stuck) return 'evicted';
  const bound = flow === 'flowing' ? limits.softBytes : limits.softBytes / 2;
  return backlogBytes > bound ? 'congested' : 'flowing';
}
