// Ends connections whose user token has expired. Connections wait in one bucket for each second, so that a look costs
// nothing for those that are not due, and no client has a timer. Bounded by the connections of the thread.
import { limits } from '@weir/protocol';
import type { Connection } from './connection.ts';

const SECOND_MS = 1_000;

export class Expiries {
  readonly #close: (connection: Connection) => void;
  readonly #bySecond = new Map<number, Set<Connection>>();
  /** The last second whose bucket was emptied. */
  #doneS: number;

  constructor(close: (connection: Connection) => void, nowMs: number) {
    this.#close = close;
    this.#doneS = Math.floor(nowMs / SECOND_MS);
  }

  /**
   * Takes a connection in. Returns the time until its token expires, in milliseconds; undefined if it has none. `nowMs` is
   * on the clock of `look`.
   */
  add(connection: Connection, { nowMs, wallMs }: { nowMs: number; wallMs: number }): number | undefined {
    const { tokenExpiresS } = connection.ticket;
    if (tokenExpiresS === undefined) return undefined;
    const expiresInMs = Math.max(0, tokenExpiresS * SECOND_MS - wallMs);
    // A router accepts the token for this much longer, because its clock may differ.
    this.#put(connection, nowMs + expiresInMs + limits.clockToleranceMs);
    return expiresInMs;
  }

  remove(connection: Connection): void {
    const bucket = this.#bySecond.get(connection.endsS);
    if (bucket?.delete(connection) && bucket.size === 0) this.#bySecond.delete(connection.endsS);
  }

  /** Closes the connections that are due. */
  look(nowMs: number): void {
    const nowS = Math.floor(nowMs / SECOND_MS);
    for (let second = this.#doneS + 1; second <= nowS; second++) {
      for (const connection of this.#bySecond.get(second) ?? []) this.#close(connection);
      this.#bySecond.delete(second);
    }
    this.#doneS = Math.max(this.#doneS, nowS);
  }

  #put(connection: Connection, endsMs: number): void {
    const second = Math.max(Math.ceil(endsMs / SECOND_MS), this.#doneS + 1);
    const bucket = this.#bySecond.get(second);
    if (bucket === undefined) this.#bySecond.set(second, new Set([connection]));
    else bucket.add(connection);
    connection.endsS = second;
  }
}
