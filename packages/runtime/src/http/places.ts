// Bounds the open sockets of an HTTP server, so that idle sockets cannot keep clients out: if all places are taken, the
// oldest socket without a request is cut.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class Places {
  readonly #onCut: () => void;
  /** Sockets without a whole request, the oldest first, by remote address and port: a TLS socket has two objects. */
  readonly #waiting = new Map<string, Socket>();
  /** Sockets with requests under way, which may be several: a client need not wait for an answer. */
  readonly #busy = new Map<string, { readonly socket: Socket | undefined; requests: number }>();
  #open = 0;

  /** Create it after the server's own listeners. It calls `onCut` for each socket that it cuts. */
  constructor(server: Server, o: { readonly max: number; readonly onCut: () => void }) {
    this.#onCut = o.onCut;
    server.on('connection', (socket: Socket) => {
      this.#take(socket);
      if (this.#open > o.max && !this.makeRoom(socket)) this.#cut(socket);
    });
    const begun = (request: IncomingMessage, response: ServerResponse): void =>
      this.#begun(request, response);
    server.on('request', begun);
    for (const event of ['checkContinue', 'checkExpectation'] as const)
      if (server.listenerCount(event) > 0) server.on(event, begun);
    // Where nobody else listens for upgrades, Node takes a request that asks for one (h2c of Java or curl) as any other.
    if (server.listenerCount('upgrade') > 0)
      server.on('upgrade', ({ socket }) => this.#waiting.delete(originOf(socket)));
  }

  get open(): number {
    return this.#open;
  }

  /** Cuts the oldest socket without a request, unless that is `newest`. Answers whether it cut one. */
  makeRoom(newest?: Socket): boolean {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined || oldest === newest) return false;
    this.#cut(oldest);
    return true;
  }

  #take(socket: Socket): void {
    const origin = originOf(socket);
    this.#open++;
    this.#waiting.set(origin, socket);
    socket.once('close', () => {
      this.#open--;
      if (this.#waiting.get(origin) === socket) this.#waiting.delete(origin);
    });
  }

  #begun({ socket }: IncomingMessage, response: ServerResponse): void {
    const origin = originOf(socket);
    const busy = this.#busy.get(origin) ?? { socket: this.#waiting.get(origin), requests: 0 };
    busy.requests++;
    this.#busy.set(origin, busy);
    this.#waiting.delete(origin);
    response.once('close', () => {
      if (--busy.requests > 0) return;
      this.#busy.delete(origin);
      if (busy.socket?.destroyed === false) this.#waiting.set(origin, busy.socket);
    });
  }

  #cut(socket: Socket): void {
    this.#waiting.delete(originOf(socket));
    socket.destroy();
    this.#onCut();
  }
}

function originOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
