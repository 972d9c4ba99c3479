// One shard with its NATS server and router, and clients that connect to the shard directly with a ticket.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { ShapingProxy, ShapingProxyOptions } from '@weir/local';
import { startShapingProxy } from '@weir/local';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { BareClient } from './bare-client.ts';
import { comesToRest, Numbers } from './numbers.ts';
import type { RawOptions } from './raw-client.ts';
import { RawClient } from './raw-client.ts';
import type { Service } from './small-cluster.ts';
import { SmallCluster, until } from './small-cluster.ts';
import { streamUrl } from './stream-url.ts';

const SHARD = 'alone-1';

export interface SceneOptions {
  readonly pool?: string;
  readonly shard?: Readonly<Record<string, string>>;
  readonly router?: Readonly<Record<string, string>>;
}

/** The parts of a scene that runs. */
interface Running {
  readonly cluster: SmallCluster;
  readonly shard: Service;
  readonly nats: NatsConnection;
}

/**
 * A scene for the tests of a file or of a describe block. After each test all clients leave, and the shard must come to
 * rest. Hooks of the caller run before that.
 */
export function useScene(options: SceneOptions = {}): Scene {
  const scene = new Scene(options);
  beforeAll(() => scene.start());
  afterEach(async () => {
    await scene.leave();
    await comesToRest(scene.shard, 0);
  });
  afterAll(() => scene.stop());
  return scene;
}

export class Scene {
  readonly #options: SceneOptions;
  readonly #pool: string;
  readonly #proxies: ShapingProxy[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #clients: { leave(): void }[] = [];
  #running: Running | undefined;

  constructor(options: SceneOptions = {}) {
    this.#options = options;
    this.#pool = options.pool ?? 'desktop';
  }

  /** For a test that starts and stops the scene itself. */
  static async start(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(options);
    await scene.start();
    return scene;
  }

  async start(): Promise<void> {
    const { shard: env = {}, router = {} } = this.#options;
    const cluster = await SmallCluster.start({}, router);
    const shard = await cluster.shard(this.#pool, SHARD, { WEIR_DEMOTION: 'false', ...env });
    const nats = await connectNats({ servers: cluster.nats.url });
    this.#running = { cluster, shard, nats };
  }

  get cluster(): SmallCluster {
    return this.#there.cluster;
  }

  get shard(): Service {
    return this.#there.shard;
  }

  get nats(): NatsConnection {
    return this.#there.nats;
  }

  get #there(): Running {
    if (this.#running === undefined) throw new Error('the scene has not started');
    return this.#running;
  }

  /** A stream URL with a new ticket. */
  url(channel = 'lobby'): Promise<string> {
    const to = { pool: this.#pool, shard: SHARD, url: this.shard.url, channels: [channel], allow: ['>'] };
    return streamUrl(this.cluster, { ...to, ttlMs: 60_000 });
  }

  /** `count` stream URLs, valid for a minute. */
  urls(count: number, channel = 'lobby'): Promise<readonly string[]> {
    return Promise.all(Array.from({ length: count }, () => this.url(channel)));
  }

  /** A client that has its first snapshot; through `proxy` if given. */
  async client(channel = 'lobby', proxy?: ShapingProxy): Promise<BareClient> {
    const client = await this.visitor(channel, proxy);
    await until(() => client.of('position').length > 0, 'it is served');
    return client;
  }

  /** Opens a client without waiting for its snapshot. */
  async visitor(channel = 'lobby', proxy?: ShapingProxy): Promise<BareClient> {
    const url = await this.url(channel);
    const client = BareClient.open(proxy === undefined ? url : proxy.url(url));
    this.#clients.push({ leave: () => client.ws.terminate() });
    return client;
  }

  clients(count: number, channel = 'lobby'): Promise<readonly BareClient[]> {
    return Promise.all(Array.from({ length: count }, () => this.client(channel)));
  }

  /** A client on a raw socket. */
  async raw(options: RawOptions = {}, channel = 'lobby'): Promise<RawClient> {
    const client = new RawClient(await this.url(channel), options);
    this.#clients.push({ leave: () => client.socket.destroy() });
    // Counts frames instead of reading them: they may be compressed.
    await until(() => client.frames.length > 1 || client.gone, 'it is served');
    return client;
  }

  /** A proxy in front of the shard. */
  async proxy(profile: NonNullable<ShapingProxyOptions['profile']>): Promise<ShapingProxy> {
    const { hostname: host, port } = new URL(this.shard.url);
    const proxy = await startShapingProxy({ target: { host, port: Number(port) }, profile });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Runs `step` every `ms` until stopped, or until all clients leave. */
  every(ms: number, step: (n: number) => void): Feed {
    let count = 0;
    const timer = setInterval(() => step(count++), ms);
    this.#timers.push(timer);
    return {
      get count() {
        return count;
      },
      stop: () => clearInterval(timer),
    };
  }

  numbers(): Promise<Numbers> {
    return Numbers.of(this.shard);
  }

  /** Stops all feeds and breaks all connections without a Close. */
  async leave(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const client of this.#clients.splice(0)) client.leave();
    await Promise.all(this.#proxies.splice(0).map((proxy) => proxy.close()));
  }

  async stop(): Promise<void> {
    await this.leave();
    await this.nats.close();
    await this.cluster.stop();
  }
}

/** A step that repeats. */
export interface Feed {
  readonly count: number;
  stop(): void;
}
