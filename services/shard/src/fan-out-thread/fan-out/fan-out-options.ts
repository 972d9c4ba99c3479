// What a fan-out is given: limits, clocks, and what it tells.
import type { CatchUpRequest } from '../../port/catch-up.ts';
import type { Heads } from '../../port/messages.ts';
import type { Connection } from '../connection/connection.ts';
import type { Want } from './channels.ts';
import type { WriterOptions } from './writer.ts';

/** Why a connection is evicted: too much waits for it, it proves nothing, or the shard itself is cut off. */
export type EvictReason = 'hardBytes' | 'lag' | 'cutOff';

export interface FanOutOptions extends WriterOptions {
  /** Time between two positions while only other channels have data. */
  readonly idlePositionMs: number;
  /** Longest time without a text to a client. */
  readonly beatMs: number;
  /** Longest time of writing before everything else gets its turn, and the writes between two looks at the clock. */
  readonly sliceMs: () => number;
  readonly looksAfter: number;
  /** Where the lanes stand at first. */
  readonly heads: Heads;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** Runs something when everything else has had its turn. */
  readonly later: (run: () => void) => void;
  /** Asks for what a connection misses; the answer goes to `caughtUp`. */
  readonly ask: (id: number, request: CatchUpRequest) => void;
  readonly want: (want: Want) => void;
  /** A batch has been written to every connection that it concerns. */
  readonly done: (number: number) => void;
  /** The policy evicts this connection. Called after the loop that found it: it may change who is in the fan-out. */
  readonly onEvict: (connection: Connection, reason: EvictReason) => void;
}
