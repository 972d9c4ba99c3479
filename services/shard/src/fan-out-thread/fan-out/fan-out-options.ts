// What a fan-out is given: limits, clocks, and whom it tells.
import type { CatchUpRequest } from '../../port/catch-up.ts';
import type { Heads } from '../../port/messages.ts';
import type { Connection } from '../connection/connection.ts';
import type { Want } from './channels.ts';
import type { EvictReason, WriterOptions } from './writer.ts';

export interface FanOutOptions extends Omit<WriterOptions, 'withhold' | 'withholdCritical'> {
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
  /** A batch has been written to everybody whom it concerns. */
  readonly done: (number: number) => void;
  /** The policy says that this connection has to go. */
  readonly onEvict: (connection: Connection, reason: EvictReason) => void;
  /** Delivery lag of a connection, measured by a pong; it is on the connection's clock. */
  readonly onLag: (connection: Connection) => void;
}
