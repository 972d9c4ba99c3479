// One upgraded client while it is being measured: what may be written to it, and when it is gone.
// It has nothing to say to the router: what it sends is read, counted and thrown away.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Why a client is no longer there. */
export type Gone = 'left' | 'protocolError' | 'tooManyMessages';

/** An upgraded client; fits the probe. */
export class Client {
  readonly ws: WebSocket;
  readonly duplex: Duplex;
  readonly #listeners = new Set<() => void>();
  #gone: Gone | undefined;
  #bytes = 0;

  /** In the turn of the upgrade, so that no byte is missed. */
  constructor(ws: WebSocket, duplex: Duplex, maxBytes: number) {
    this.ws = ws;
    this.duplex = duplex;
    const count = (chunk: Buffer): void => {
      this.#bytes += chunk.length;
      if (this.#bytes <= maxBytes) return;
      duplex.off('data', count);
      this.#leave('tooManyMessages');
    };
    duplex.on('data', count);
    ws.on('error', () => this.#leave('protocolError'));
    ws.on('close', () => this.#leave('left'));
  }

  /** Why it is gone, where it is; a client that has said Close is leaving. */
  get gone(): Gone | undefined {
    return this.#gone ?? (this.ws.readyState === this.ws.OPEN ? undefined : 'left');
  }

  write(bytes: Uint8Array): boolean {
    return this.gone === undefined && this.duplex.writable && this.duplex.write(bytes);
  }

  onPong(listener: (payload: Uint8Array) => void): () => void {
    this.ws.on('pong', listener);
    return () => {
      this.ws.off('pong', listener);
    };
  }

  onClose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #leave(why: Gone): void {
    if (this.#gone !== undefined) return;
    this.#gone = why;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
