// A network of clients that changes under their connections: every way of theirs leads through a shaping proxy.
import { type Profile, type ShapingProxy, startShapingProxy } from '@weir/local';

export class ChangingNetwork {
  readonly #first: Profile;
  readonly #proxies: ShapingProxy[] = [];

  /** `first`: how it is until the first `change`. */
  constructor(first: Profile) {
    this.#first = first;
  }

  /** A WebSocket URL that leads to a port of this machine. */
  async to(port: number): Promise<string> {
    const proxy = await startShapingProxy({ target: { host: '127.0.0.1', port }, profile: this.#first });
    this.#proxies.push(proxy);
    return `ws://127.0.0.1:${proxy.port}`;
  }

  change(profile: Profile): void {
    for (const proxy of this.#proxies) proxy.change(profile);
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}
