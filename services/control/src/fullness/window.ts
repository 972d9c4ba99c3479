// The result of a counting window: how many messages were published and not stored, beyond the uncertainty of the
// edges. Pure.

/** Counts between two edges. */
export interface Window {
  /** Messages that plain subscribers received. */
  readonly counted: number;
  /** Those of them that a stream may refuse as their publisher intended: duplicates, expectations. */
  readonly refusable: number;
  /** Number of sequences by which the stream advanced. */
  readonly stored: number;
}

/** One message of each publisher may be on either side of an edge. */
const EDGE_MESSAGES = 20;
/** In a cluster of servers, the way to the subscriber and the way to the stream differ by some milliseconds. */
const EDGE_SHARE = 0.02;

/** Messages that were certainly not stored; 0 if the window is not certain. */
export function notStored({ counted, refusable, stored }: Window): number {
  const missing = counted - refusable - stored;
  return missing > EDGE_MESSAGES + counted * EDGE_SHARE ? missing : 0;
}
