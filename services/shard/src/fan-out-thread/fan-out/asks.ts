// The catch-ups that clients have asked the main thread for: one ask a client at a time, and one ask for all clients at
// the same cursors. It writes to no client.
import type { CatchUpRequest } from '../../port/catch-up.ts';
import type { Connection } from '../connection/connection.ts';

interface Ask {
  readonly key: string;
  /** Some may wait for another answer by now; a client that changed its mind twice is in here twice. */
  readonly waiting: Connection[];
}

export class Asks {
  readonly #send: (id: number, request: CatchUpRequest) => void;
  readonly #byId = new Map<number, Ask>();
  readonly #idByKey = new Map<string, number>();
  #lastId = 0;

  constructor(send: (id: number, request: CatchUpRequest) => void) {
    this.#send = send;
  }

  /**
   * Asks for a client. `stints` says since when its channels have been wanted: the client may share only an answer that
   * was asked for since then, or batches in between would lack its channels.
   */
  add(connection: Connection, maxBytes: number, stints: string): void {
    const { compressed, delivery, session } = connection;
    const { criticalLive, cursors, waitsFor } = delivery;
    // An ask that waits for the stream waits for what the stream had when this client was ready: no other client's does.
    const alone = waitsFor === 'stream' ? `${session} ` : '';
    const key = `${alone}${maxBytes} ${waitsFor} ${stints} ${keyOf(connection)}`;
    let id = this.#idByKey.get(key);
    if (id === undefined) {
      id = ++this.#lastId;
      this.#byId.set(id, { key, waiting: [] });
      this.#idByKey.set(key, id);
      this.#send(id, { compressed, maxBytes, criticalLive, cursors, waitsFor });
    }
    this.#byId.get(id)?.waiting.push(connection);
    delivery.asked(id);
  }

  /** Clients that have asked for this answer; some may wait for another one by now. */
  waiting(id: number): readonly Connection[] {
    return this.#byId.get(id)?.waiting ?? [];
  }

  /** The clients that still wait for this answer. */
  take(id: number): readonly Connection[] {
    const ask = this.#byId.get(id);
    if (ask === undefined) return [];
    this.#byId.delete(id);
    this.#idByKey.delete(ask.key);
    return ask.waiting.filter(({ delivery }) => delivery.answered(id));
  }

  /** The answers that are under way count for no client any more. */
  forget(): void {
    for (const { waiting } of this.#byId.values()) for (const { delivery } of waiting) delivery.withdraw();
    this.#byId.clear();
    this.#idByKey.clear();
  }
}

function keyOf({ compressed, delivery: { criticalLive, cursors } }: Connection): string {
  let key = `${compressed} ${criticalLive}`;
  for (const {
    channel,
    stateSeq,
    snapshot,
    snapshotSeq,
    half,
    criticalSeq,
    toldSeq,
    again,
    last,
  } of cursors) {
    const critical = criticalLive ? '' : `${criticalSeq} ${toldSeq}`;
    key += ` ${channel} ${stateSeq} ${snapshot} ${snapshotSeq} ${half} ${critical} ${again} ${last}`;
  }
  return key;
}
