// How connections end. Each has exactly one cause, which is counted when the end is decided, and its socket is gone soon
// after. Of a connection that is closing, only the client's Close is read.
import type { CloseCode } from '@weir/protocol';
import { closeCodes } from '@weir/protocol';
import type { Ending } from '@weir/runtime';
import { LIBRARY_FAULTS, libraryFaultOf, timesWithin, watchEnding } from '@weir/runtime';
import type { CloseCause } from '../../port/outcomes.ts';
import type { Connection } from './connection.ts';

/** Why the shard closes a connection. */
export type ShardCause =
  | 'hardBytes'
  | 'lag'
  | 'cutOff'
  | 'tooManyMessages'
  | 'protocolError'
  | 'drain'
  | 'tokenExpired';
const CODES: Readonly<Record<ShardCause, CloseCode>> = {
  hardBytes: closeCodes.tooSlow,
  lag: closeCodes.noPong,
  // Its own network is not to blame: the client comes back with its hint, to the pool that it was in.
  cutOff: closeCodes.restarting,
  tooManyMessages: closeCodes.tooManyMessages,
  protocolError: closeCodes.protocolError,
  drain: closeCodes.restarting,
  tokenExpired: closeCodes.tokenExpired,
};

/** The client broke the rules: its socket is gone within `faultCloseMs`. */
const FAULTS: readonly CloseCause[] = LIBRARY_FAULTS;

/** How long a client may take to answer a Close, and to end its side after the shard's FIN. */
const ANSWER_MS = 2_000;
const END_MS = 5_000;

export interface EndsOptions {
  readonly faultCloseMs: number;
  readonly count: (cause: CloseCause) => void;
  readonly ended: (how: Ending) => void;
  /** The number of connections that are closing has changed by this. */
  readonly closing: (by: 1 | -1) => void;
  /** The socket is gone. */
  readonly onGone: (connection: Connection) => void;
}

export class Ends {
  readonly #o: EndsOptions;

  constructor(options: EndsOptions) {
    this.#o = options;
  }

  /** Watches for an end that the shard does not cause. */
  watch(connection: Connection): void {
    const { ended, closing, onGone } = this.#o;
    connection.ws.on('error', (error) => {
      const fault = libraryFaultOf(error);
      // The library has written its Close.
      if (fault !== undefined) this.#begin(connection, fault);
    });
    connection.socket.once('close', () => {
      if (!connection.delivery.over) {
        this.#decide(connection, 'lost');
        ended('left');
      }
      closing(-1);
      onGone(connection);
    });
  }

  /** Closes a connection in order. */
  close(connection: Connection, cause: ShardCause, reason?: string): void {
    if (connection.delivery.over) return;
    const { code, reason: usual } = CODES[cause];
    connection.ws.close(code, reason ?? usual);
    this.#begin(connection, cause);
  }

  /** The client's Close has come; the library answers it. */
  left(connection: Connection): void {
    this.#begin(connection, 'left');
  }

  /** Cuts a connection because the shard ends. */
  stop(connection: Connection): void {
    this.#begin(connection, 'stopped');
    connection.socket.destroy();
  }

  #begin(connection: Connection, cause: CloseCause): void {
    if (connection.delivery.over) return;
    this.#decide(connection, cause);
    const { socket: duplex, gate } = connection;
    const { faultCloseMs, ended } = this.#o;
    const inTime = cause === 'left' ? 'left' : 'answered';
    const times = FAULTS.includes(cause) ? timesWithin(faultCloseMs) : { waitMs: ANSWER_MS, graceMs: END_MS };
    void watchEnding({ duplex, gate, inTime, ...times }).then(ended);
  }

  #decide(connection: Connection, cause: CloseCause): void {
    connection.delivery.close();
    this.#o.count(cause);
    this.#o.closing(1);
  }
}
