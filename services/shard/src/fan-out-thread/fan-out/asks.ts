// What connections that are not live have asked the main thread for: one ask a connection at a time, and one for all
// connections at the same cursors. It writes to nobody.
import type { CatchUpRequest } from '../../port/catch-up.ts';
import type { Ask, Connection } from '../connection/connection.ts';

export class Asks {
  readonly #send: (id: number, request: CatchUpRequest) => void;
  readonly #byId = new Map<number, Ask>();
  readonly #byKey = new Map<string, Ask>();
  #lastId = 0;

  constructor(send: (id: number, request: CatchUpRequest) => void) {
    this.#send = send;
  }

  /**
   * Asks for a connection, unless it waits for an answer already. `stints` says since when its channels have been
   * wanted: it may share the answer only to what was asked since, or batches in between would lack its channels.
   */
  add(connection: Connection, maxBytes: number, stints: string): void {
    if (connection.ask !== undefined) return;
    const { compressed, criticalLive, cursors, waitsFor } = connection;
    // An ask that waits for the stream waits for what it had when this connection was ready: no other's does.
    const alone = waitsFor === 'stream' ? `${connection.session} ` : '';
    const key = `${alone}${maxBytes} ${waitsFor} ${stints} ${keyOf(connection)}`;
    let ask = this.#byKey.get(key);
    if (ask === undefined) {
      ask = { id: ++this.#lastId, key, waiting: [] };
      this.#byId.set(ask.id, ask);
      this.#byKey.set(key, ask);
      this.#send(ask.id, { compressed, maxBytes, criticalLive, cursors, waitsFor });
    }
    ask.waiting.push(connection);
    connection.ask = ask;
  }

  /** Connections that have asked for this answer; some may wait for another one by now. */
  waiting(id: number): readonly Connection[] {
    return this.#byId.get(id)?.waiting ?? [];
  }

  /** Whoever still waits for this answer. */
  take(id: number): readonly Connection[] {
    const ask = this.#byId.get(id);
    if (ask === undefined) return [];
    this.#byId.delete(id);
    this.#byKey.delete(ask.key);
    // One that has changed its mind twice is among them twice.
    const waiting = ask.waiting.filter((connection) => {
      const waits = connection.ask === ask;
      if (waits) connection.ask = undefined;
      return waits;
    });
    return waiting;
  }

  /** No answer that is under way counts for anybody any more. */
  forget(connections: Iterable<Connection>): void {
    this.#byId.clear();
    this.#byKey.clear();
    for (const connection of connections) connection.ask = undefined;
  }
}

function keyOf({ compressed, criticalLive, cursors }: Connection): string {
  let key = `${compressed} ${criticalLive}`;
  for (const { channel, stateSeq, snapshot, snapshotSeq, half, criticalSeq, again } of cursors)
    key += ` ${channel} ${stateSeq} ${snapshot} ${snapshotSeq} ${half} ${criticalLive ? 0 : criticalSeq} ${again}`;
  return key;
}
