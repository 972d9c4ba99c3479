// Owns one line of the page: a proxy of the same shape in front of every server that a device on this line talks to.
import { type Profile, profiles } from './profiles.ts';
import { type ShapingProxy, startShapingProxy } from './shaping-proxy.ts';

export const LINE_NAMES = ['fibre', 'lte', 'weak-lte', '3g', '2g', 'hotel', 'satellite', 'cut'] as const;
export type LineName = (typeof LINE_NAMES)[number];

const weakLte = { kbps: 1_300, delayMs: 85, jitterMs: 10, bufferBytes: 200_000 };
const SHAPES: Readonly<Record<Exclude<LineName, 'cut'>, Profile>> = {
  fibre: profiles.fibre,
  lte: profiles.lte,
  /**
   * One bar: so far below the router's threshold of 2 Mbit/s that no jitter makes it pass for a fast link, and so near that a
   * shard takes its second look early and promotes it within seconds of a better network.
   */
  'weak-lte': { down: weakLte, up: weakLte },
  '3g': profiles['3g'],
  '2g': profiles['2g'],
  hotel: profiles.hotel,
  satellite: profiles.satellite,
};

export function isLineName(value: unknown): value is LineName {
  return LINE_NAMES.some((name) => name === value);
}

export class Line {
  readonly #proxies: ReadonlyMap<string, ShapingProxy>;
  #name: LineName;
  #isInterrupted = false;

  private constructor(proxies: ReadonlyMap<string, ShapingProxy>, name: LineName) {
    this.#proxies = proxies;
    this.#name = name;
    this.change(name);
  }

  /** `targets` are the URLs of servers on 127.0.0.1. */
  static async open(targets: readonly string[], name: LineName): Promise<Line> {
    const proxies = new Map<string, ShapingProxy>();
    for (const target of targets) {
      const { host, port } = new URL(target);
      proxies.set(host, await startShapingProxy({ target: { host: '127.0.0.1', port: Number(port) } }));
    }
    return new Line(proxies, name);
  }

  get name(): LineName {
    return this.#name;
  }

  /** Whether nothing is delivered now. */
  get isCut(): boolean {
    return this.#isInterrupted || this.#name === 'cut';
  }

  /** Which address of the line leads to which server: `127.0.0.1:7701` to `127.0.0.1:40001`. */
  addresses(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#proxies].map(([host, { port }]) => [host, `127.0.0.1:${port}`]));
  }

  /** From now on, also on open connections. */
  change(name: LineName): void {
    this.#name = name;
    for (const proxy of this.#proxies.values()) if (name !== 'cut') proxy.change(SHAPES[name]);
    this.#apply();
  }

  /** Delivers nothing, whatever its shape, until it is called with false. */
  interrupt(isInterrupted: boolean): void {
    this.#isInterrupted = isInterrupted;
    this.#apply();
  }

  /** Bytes delivered over the connection that the server sees as coming from this port. */
  deliveredOf(port: number): number | undefined {
    for (const proxy of this.#proxies.values()) {
      const delivered = proxy.deliveredOf(port);
      if (delivered !== undefined) return delivered;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }

  #apply(): void {
    for (const proxy of this.#proxies.values()) {
      if (this.isCut) proxy.pause();
      else proxy.resume();
    }
  }
}
