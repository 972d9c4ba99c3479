// NATS, a router and a shard a pool as containers of the images that `npm run images` built. Loads testcontainers, so
// tests import it only when they run.
import { createServer } from 'node:net';
import {
  GenericContainer,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';

// The reaper is an image that must be pulled; without it only `stop` ends the containers.
process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';

export interface Images {
  readonly router: string;
  readonly shard: string;
  readonly nats: string;
}

export class ImageCluster {
  readonly #images: Images;
  readonly #network: StartedNetwork;
  readonly #started: StartedTestContainer[] = [];
  natsUrl = '';
  routerUrl = '';

  private constructor(images: Images, network: StartedNetwork) {
    this.#images = images;
    this.#network = network;
  }

  static async start(images: Images): Promise<ImageCluster> {
    const cluster = new ImageCluster(images, await new Network().start());
    await cluster.#startAll();
    return cluster;
  }

  /** The router's container. */
  get router(): StartedTestContainer | undefined {
    return this.#started[1];
  }

  async stop(): Promise<void> {
    for (const container of this.#started.toReversed()) await container.stop({ timeout: 20_000 });
    await this.#network.stop();
  }

  async #startAll(): Promise<void> {
    const nats = await this.#start(
      new GenericContainer(this.#images.nats)
        .withNetworkAliases('nats')
        .withCommand(['-js', '-sd', '/tmp'])
        .withExposedPorts(4222)
        .withWaitStrategy(Wait.forLogMessage(/Server is ready/)),
    );
    this.natsUrl = `nats://${nats.getHost()}:${nats.getMappedPort(4222)}`;
    const shared = { WEIR_NATS_URL: 'nats://nats:4222', WEIR_TICKET_KEYS: `k1:${'A'.repeat(43)}` };
    const router = await this.#start(this.#service('router', shared).withExposedPorts(8080));
    this.routerUrl = `ws://${router.getHost()}:${router.getMappedPort(8080)}`;
    for (const pool of ['mobile', 'desktop']) await this.#startShard(pool, shared);
  }

  /** A shard must know its public address before it starts, so its port is chosen here. */
  async #startShard(pool: string, shared: Readonly<Record<string, string>>): Promise<void> {
    const port = await freePort();
    const shard = this.#service('shard', {
      ...shared,
      WEIR_POOL: pool,
      WEIR_ROUTER_URL: this.routerUrl,
      WEIR_PUBLIC_URL: `ws://${new URL(this.routerUrl).hostname}:${port}`,
      WEIR_DRAIN_GRACE_MS: '0',
      WEIR_DRAIN_WINDOW_MS: '200',
    });
    await this.#start(shard.withExposedPorts({ container: 8081, host: port }));
  }

  #service(name: 'router' | 'shard', environment: Readonly<Record<string, string>>): GenericContainer {
    return new GenericContainer(this.#images[name])
      .withEnvironment({ ...environment })
      .withTmpFs({ '/tmp': 'rw' })
      .withWaitStrategy(Wait.forLogMessage(/"msg":"listening"/));
  }

  async #start(container: GenericContainer): Promise<StartedTestContainer> {
    const running = await container.withNetwork(this.#network).start();
    this.#started.push(running);
    return running;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
