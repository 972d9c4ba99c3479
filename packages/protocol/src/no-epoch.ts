// Positions without state. A module of its own, because the SDK must not bundle the hashes of position.ts.

/** No stream has this epoch: a position with it as its state epoch covers only critical messages. */
export const NO_EPOCH = '-';

/** Whether a position's text says nothing about state: a client that resumes from it gets its state as snapshots. */
export function coversOnlyCritical(pos: string): boolean {
  return pos.split('.')[1] === NO_EPOCH;
}
