// A TCP path that goes dead: nothing is delivered any more, either way, and neither end is told. What a phone in a
// tunnel has, or a laptop whose NAT has forgotten it.
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

  /** `target` is the port behind it, asked for at each connection. */
  static async to(target: () => number): Promise<SwallowingPath> {
    const path = new SwallowingPath(target);
    path.#server.listen(0, '127.0.0.1');
    await once(path.#server, 'listening');
    return path;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The connections that are open now go dead; new ones are served. */
  swallow(): void {
    for (const socket of this.#sockets) {
      this.#swallowed.add(socket);
      // It is read all the same, so that the sender's buffers never say that something is wrong.
      socket.unpipe();
      socket.resume();
    }
  }

  /** So do new ones, until `revive`. */
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
