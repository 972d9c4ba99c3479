// A TCP proxy that stands before a server and can be shut: the server keeps running, and clients cannot reach it.
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { joinSockets } from './join-sockets.ts';

export class Gate {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #own = 0;

  private constructor(port: number) {
    this.#port = port;
  }

  /** An open gate to a port of this machine. */
  static async to(port: number): Promise<Gate> {
    const gate = new Gate(port);
    await gate.open();
    return gate;
  }

  get port(): number {
    return this.#own;
  }

  async open(): Promise<void> {
    const server = createServer((near) =>
      joinSockets(near, connect(this.#port, '127.0.0.1'), { sockets: this.#sockets }),
    );
    this.#server = server;
    server.listen(this.#own, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') this.#own = address.port;
  }

  /** Cuts every connection; new ones are refused until `open` is called. */
  async shut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}
