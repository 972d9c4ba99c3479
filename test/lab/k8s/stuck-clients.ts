// Clients that do not read: they come through the router, and stop reading when their stream is open. They do not even
// see a Close. Clients with `patienceMs` give up after a while and reconnect, as people on a bad network do.
import { WebSocket } from 'ws';
import { askRouter } from '../../harness/bare-client.ts';

export class StuckClients {
  readonly #url: string;
  readonly #patienceMs: number | undefined;
  readonly #sockets = new Set<WebSocket>();
  #ended = false;
  /** How often a client has given up. */
  givenUp = 0;

  /** `url` is the router's, with a query. */
  constructor(url: string, options: { readonly patienceMs?: number } = {}) {
    this.#url = url;
    this.#patienceMs = options.patienceMs;
  }

  /** Resolves when all clients are connected. */
  async join(count: number, atOnce = 20): Promise<void> {
    for (let left = count; left > 0; left -= atOnce)
      await Promise.all(Array.from({ length: Math.min(left, atOnce) }, () => this.#come()));
  }

  end(): void {
    this.#ended = true;
    for (const socket of this.#sockets) socket.terminate();
  }

  async #come(): Promise<void> {
    const { url } = await askRouter(this.#url);
    const socket = new WebSocket(String(url), ['weir.v1'], { perMessageDeflate: false });
    await new Promise<void>((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    socket.pause();
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    if (this.#patienceMs !== undefined)
      setTimeout(() => this.#giveUp(socket), this.#patienceMs * (0.75 + Math.random() / 2));
  }

  #giveUp(socket: WebSocket): void {
    if (this.#ended) return;
    socket.terminate();
    this.givenUp++;
    this.#come().catch(() => undefined);
  }
}
