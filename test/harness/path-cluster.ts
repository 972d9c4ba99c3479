// A real cluster whose router and desktop shards are reached by paths that can go dead, and of which a test can kill the
// shard that serves a page.
import { end } from './end.ts';
import { freePort } from './free-port.ts';
import type { Service } from './small-cluster.ts';
import { isReady, SmallCluster, until } from './small-cluster.ts';
import { SwallowingPath } from './swallowing-path.ts';

const SHARDS = ['desktop-1', 'desktop-2'];

type Env = Readonly<Record<string, string>>;

export class PathCluster {
  readonly cluster: SmallCluster;
  readonly #router: SwallowingPath;
  readonly #paths: SwallowingPath[];
  readonly #env: Env;
  readonly #shards = new Map<string, Service>();

  private constructor(cluster: SmallCluster, router: SwallowingPath, env: Env) {
    this.cluster = cluster;
    this.#router = router;
    this.#paths = [router];
    this.#env = env;
  }

  /** Two desktop shards with `shard` in their environment, a router with `router` in its. */
  static async start({ shard = {}, router = {} }: { shard?: Env; router?: Env } = {}): Promise<PathCluster> {
    const cluster = await SmallCluster.start({}, router);
    const path = await SwallowingPath.to(() => Number(new URL(cluster.routerUrl).port));
    const there = new PathCluster(cluster, path, shard);
    for (const id of SHARDS) await there.#startShard(id);
    return there;
  }

  /** The router, through its path. */
  get url(): string {
    return this.#router.url;
  }

  shard(id: string): Service {
    const shard = this.#shards.get(id);
    if (shard === undefined) throw new Error(`there is no shard ${id}`);
    return shard;
  }

  /** What is open now goes dead; new connections are served. */
  swallow(): void {
    for (const path of this.#paths) path.swallow();
  }

  /** No path leads anywhere, until `revive`. */
  die(): void {
    for (const path of this.#paths) path.die();
  }

  revive(): void {
    for (const path of this.#paths) path.revive();
  }

  /** Kills the shards that have clients, with SIGKILL; answers how they are started again. */
  async killServing(): Promise<() => Promise<void>> {
    const killed: string[] = [];
    for (const [id, shard] of this.#shards) {
      const body: unknown = await (await fetch(`${shard.admin}/readyz`)).json();
      if (JSON.stringify(body).includes('"connections":0')) continue;
      await end(shard.process, 'SIGKILL');
      killed.push(id);
    }
    if (killed.length === 0) throw new Error('no shard has a client');
    return async () => {
      for (const id of killed) await this.#startShard(id);
    };
  }

  /** Stops a shard as SIGSTOP does, as long as `meanwhile` runs. */
  async whileStopped(id: string, meanwhile: () => Promise<void>): Promise<void> {
    const shard = this.shard(id);
    shard.process.kill('SIGSTOP');
    try {
      await meanwhile();
    } finally {
      shard.process.kill('SIGCONT');
      await until(() => isReady(shard), 'the shard is back');
    }
  }

  async stop(): Promise<void> {
    for (const path of this.#paths) path.stop();
    await this.cluster.stop();
  }

  async #startShard(id: string): Promise<void> {
    const port = await freePort();
    const path = await SwallowingPath.to(() => Number(port));
    this.#paths.push(path);
    const env = { ...this.#env, WEIR_PORT: port, WEIR_PUBLIC_URL: path.url };
    this.#shards.set(id, await this.cluster.shard('desktop', id, env));
  }
}
