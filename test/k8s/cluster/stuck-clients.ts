// Clients that do not read: they come through the router, and stop where their stream is open. Those who are asked to
// come back do so as soon as they are closed, as people on a bad network do.
import { WebSocket } from 'ws';
import { askRouter } from '../../harness/bare-client.ts';

export class StuckClients {
  readonly #url: string;
  readonly #comesBack: boolean;
  readonly #sockets = new Set<WebSocket>();
  #ended = false;
  /** Streams that were closed. */
  closed = 0;

  /** `url` is the router's with a query. */
  constructor(url: string, options: { readonly comesBack: boolean }) {
    this.#url = url;
    this.#comesBack = options.comesBack;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** Resolves when all are in. */
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
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.closed++;
      if (!this.#ended && this.#comesBack) this.#come().catch(() => undefined);
    });
  }
}
