// A TCP path that goes dead: nothing is delivered in either direction, and neither end is told. Examples: a phone in a
// tunnel, or a laptop whose NAT entry expired.
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { joinSockets } from './join-sockets.ts';

export class SwallowingPath {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #swallowed = new WeakSet<Socket>();
  #dead = false;

  private constructor(target: () => number) {
    this.#server = createServer((near) => {
      joinSockets(near, connect(target(), '127.0.0.1'), {
        sockets: this.#sockets,
        tells: (closed) => !this.#swallowed.has(closed),
      });
      if (this.#dead) this.swallow();
    });
  }

  /** `target` returns the port of the server; it is called for each connection. */
  static async to(target: () => number): Promise<SwallowingPath> {
    const path = new SwallowingPath(target);
    path.#server.listen(0, '127.0.0.1');
    await once(path.#server, 'listening');
    return path;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Open connections go dead; new ones are served. */
  swallow(): void {
    for (const socket of this.#sockets) {
      this.#swallowed.add(socket);
      // The socket is still read, so that the sender's buffers never show a problem.
      socket.unpipe();
      socket.resume();
    }
  }

  /** Open and new connections go dead, until `revive`. */
  die(): void {
    this.#dead = true;
    this.swallow();
  }

  /** New connections are served again. */
  revive(): void {
    this.#dead = false;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
