// What a window of counting says: how many messages were published and not stored, beyond what the edges leave in doubt.
// Pure.

/** What was seen between two edges. */
export interface Window {
  /** Messages that plain subscribers got. */
  readonly counted: number;
  /** Those of them that a stream may refuse with a reason that their publisher asked for: duplicates, expectations. */
  readonly refusable: number;
  /** Sequences that the stream went on. */
  readonly stored: number;
}

/** One message of each publisher may be on either side of an edge. */
const EDGE_MESSAGES = 20;
/** In a cluster of servers, the way to the subscriber and the way to the stream differ by some milliseconds. */
const EDGE_SHARE = 0.02;

/** Messages that were certainly not stored; 0 where the window cannot say so. */
export function notStored({ counted, refusable, stored }: Window): number {
  const missing = counted - refusable - stored;
  return missing > EDGE_MESSAGES + counted * EDGE_SHARE ? missing : 0;
}
