// A TCP proxy that behaves like a slow network: rate, delay, jitter and a bounded buffer in each direction, and faults
// on command. It acknowledges data for the client, so it hides slow start and loss.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Direction } from './direction.ts';
import { type Profile, type ProfileName, profiles } from './profiles.ts';

export interface ShapingProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** A name, or shapes; a direction without a shape passes unshaped. */
  readonly profile?: ProfileName | Partial<Profile>;
  /**
   * Gets the bytes from the target before they are shaped, and may change them; `chunk` counts from 0 on each
   * connection. For tests of proxies that corrupt data.
   */
  readonly tamper?: (bytes: Buffer, chunk: number) => Buffer;
}

export interface ProxyStats {
  /** Open now. */
  readonly open: number;
  readonly accepted: number;
  /** Delivered so far. */
  readonly bytesDown: number;
  readonly bytesUp: number;
  /** Read but not yet delivered. */
  readonly queuedDown: number;
  readonly queuedUp: number;
}

export interface ShapingProxy {
  readonly port: number;
  /** The same URL through the proxy: `url('ws://127.0.0.1:8080/v1/connect?channels=lobby')`. */
  url(base: string): string;
  /** Delivers nothing in either direction and tells neither end; new connections are accepted and equally silent. */
  pause(): void;
  resume(): void;
  /** Ends all connections on both sides: by RST, or by FIN if `how` is 'end'. Queued bytes are lost either way. */
  cut(how?: 'reset' | 'end'): void;
  /** Changes the shapes from now on, also of open connections. */
  change(profile: ProfileName | Partial<Profile>): void;
  stats(): ProxyStats;
  /** Bytes delivered to the client of the connection that the target sees as coming from this port. */
  deliveredOf(port: number): number | undefined;
  close(): Promise<void>;
}

export async function startShapingProxy(options: ShapingProxyOptions): Promise<ShapingProxy> {
  const proxy = new RunningProxy(options);
  await proxy.listen();
  return proxy;
}

class RunningProxy implements ShapingProxy {
  readonly #options: ShapingProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #gone = { down: 0, up: 0 };
  #accepted = 0;
  #profile: Profile;
  #paused = false;

  constructor(options: ShapingProxyOptions) {
    this.#options = options;
    this.#profile = shapesOf(options.profile ?? {});
    // Half-open like a network: each side's FIN reaches the other after the bytes before it.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return address.port;
  }

  url(base: string): string {
    const url = new URL(base);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const { host, port } = this.#options.target;
    const target = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const pair: Pair = {
      client,
      target,
      down: new Direction(target, client, this.#profile.down, this.#options.tamper),
      up: new Direction(client, target, this.#profile.up),
    };
    this.#pairs.add(pair);
    if (this.#paused) setPaused(pair, true);
    const over = (): void => {
      this.#pairs.delete(pair);
      this.#gone.down += pair.down.delivered;
      this.#gone.up += pair.up.delivered;
      for (const direction of [pair.down, pair.up]) direction.stop();
    };
    for (const side of [client, target]) {
      side.on('error', () => reset(pair));
      side.on('close', () => {
        if (client.closed && target.closed) over();
      });
    }
  }

  pause(): void {
    this.#paused = true;
    for (const pair of this.#pairs) setPaused(pair, true);
  }

  resume(): void {
    this.#paused = false;
    for (const pair of this.#pairs) setPaused(pair, false);
  }

  cut(how: 'reset' | 'end' = 'reset'): void {
    for (const pair of this.#pairs) {
      if (how === 'reset') reset(pair);
      else for (const side of [pair.client, pair.target]) side.end(() => side.destroySoon());
    }
  }

  change(profile: ProfileName | Partial<Profile>): void {
    this.#profile = shapesOf(profile);
    for (const { down, up } of this.#pairs) {
      down.shape = this.#profile.down;
      up.shape = this.#profile.up;
    }
  }

  stats(): ProxyStats {
    const pairs = [...this.#pairs];
    const sum = (of: (pair: Pair) => number): number => pairs.reduce((total, pair) => total + of(pair), 0);
    return {
      open: pairs.length,
      accepted: this.#accepted,
      bytesDown: this.#gone.down + sum(({ down }) => down.delivered),
      bytesUp: this.#gone.up + sum(({ up }) => up.delivered),
      queuedDown: sum(({ down }) => down.queued),
      queuedUp: sum(({ up }) => up.queued),
    };
  }

  deliveredOf(port: number): number | undefined {
    for (const { target, down } of this.#pairs) if (target.localPort === port) return down.delivered;
    return undefined;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  readonly down: Direction;
  readonly up: Direction;
}

function shapesOf(profile: ProfileName | Partial<Profile>): Profile {
  return typeof profile === 'string' ? profiles[profile] : { down: profile.down ?? {}, up: profile.up ?? {} };
}

function setPaused(pair: Pair, paused: boolean): void {
  pair.down.paused = paused;
  pair.up.paused = paused;
}

function reset(pair: Pair): void {
  for (const side of [pair.client, pair.target]) side.resetAndDestroy();
}
