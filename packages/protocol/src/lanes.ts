// The delivery promises that a message can have. No other file may define a lane.

/** All lanes, in the order of docs/protocol.md, "Words and names". */
export const LANES = ['state', 'critical', 'cosmetic'] as const;

/** A message's delivery promise: latest value per key, complete and in order, or best effort. */
export type Lane = (typeof LANES)[number];

/** Whether `text` names a lane. */
export function isLane(text: unknown): text is Lane {
  return LANES.some((lane) => lane === text);
}
