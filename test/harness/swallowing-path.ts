// A TCP path that goes dead: nothing is delivered any more, either way, and neither end is told. What a phone in a
// tunnel has, or a laptop whose NAT has forgotten it.
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export class SwallowingPath {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #dead = false;

  private constructor(target: () => number) {
    this.#server = createServer((near) => {
      const far = connect(target(), '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => {
          this.#sockets.delete(from);
          if (this.#isAlive(from)) to.destroy();
        });
        from.on('data', (bytes) => {
          if (this.#isAlive(from)) to.write(bytes);
        });
      }
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
    for (const socket of this.#sockets) this.#swallowed.add(socket);
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

  readonly #swallowed = new WeakSet<Socket>();

  #isAlive(socket: Socket): boolean {
    return !this.#swallowed.has(socket);
  }
}
