// Keeps quiet connections audible. Browsers hide pings from pages, so a page cannot tell a quiet channel from a dead
// path unless a text arrives now and then. The text is encoded once for all clients, and the sweep that looks at every
// connection anyway finds those that need it: there is no timer for each client.
import { controlText, utf8Frame } from '@weir/protocol';
import type { Form, FormName } from '../../port/frames-table.ts';
import type { Connection } from '../connection/connection.ts';

/** A sweep comes every 250 ms. A beat that would be late at the next sweep is sent by this one. */
const EARLY_MS = 250;

export class Beats {
  readonly #everyMs: number;
  readonly #frames: Readonly<Record<FormName, Buffer>>;

  /** `deflate` compresses the one text for the clients that negotiated compression. */
  constructor({ beatMs, deflate }: { readonly beatMs: number; readonly deflate: Form }) {
    const plain = utf8Frame(controlText({ type: 'beat' }));
    this.#everyMs = beatMs - EARLY_MS;
    this.#frames = { plain, compressed: deflate(plain) };
  }

  /**
   * The beat that is due for a connection, which counts as sent; undefined if none is due. `positionMs` is the time of
   * the last position of its group: live members got that position, others did not.
   */
  due(
    connection: Connection,
    { positionMs, nowMs }: { positionMs: number; nowMs: number },
  ): Buffer | undefined {
    const heardMs =
      connection.delivery.state === 'live' ? Math.max(connection.beatMs, positionMs) : connection.beatMs;
    if (nowMs - heardMs < this.#everyMs) return undefined;
    connection.beatMs = nowMs;
    return connection.compressed ? this.#frames.compressed : this.#frames.plain;
  }
}
