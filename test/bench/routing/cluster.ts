// The server's end of all links: NATS, a router, a mobile and a desktop shard, and the feeds. With the settings of a
// cluster that nobody tuned.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import { ServiceProcess, startNatsServer } from '@weir/local';

const START_MS = 120_000;
const LOBBY_KEYS = 200;
const LOBBY_EVERY_MS = 50;
const SMALL_EVERY_MS = 1_000;

export interface Cluster {
  readonly routerUrl: string;
  /** The metrics of the two shards that begin with this. */
  read(prefix: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function startCluster(env: Readonly<Record<string, string>>): Promise<Cluster> {
  const nats = await startNatsServer({ config: [] });
  const started: ServiceProcess[] = [];
  const run = async (
    name: 'router' | 'shard',
    extra: Readonly<Record<string, string>>,
  ): Promise<Listening> => {
    const service = new ServiceProcess({
      name,
      script: fileURLToPath(
        new URL(`../../../../../../services/${name}/dist/bundle/main.js`, import.meta.url),
      ),
      env: { PATH: process.env['PATH'], ...common, ...extra, ...env },
      onLine: (line) => process.stderr.write(`${line}\n`),
    });
    started.push(service);
    return service.untilListening(AbortSignal.timeout(START_MS));
  };
  const common = {
    WEIR_NATS_URL: nats.url,
    WEIR_TICKET_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
    WEIR_HOST: '0.0.0.0',
    WEIR_PORT: '0',
    WEIR_ADMIN_HOST: '127.0.0.1',
    WEIR_ADMIN_PORT: '0',
    WEIR_LOG_LEVEL: 'error',
  };
  const router = await run('router', {});
  const routerUrl = `ws://127.0.0.1:${new URL(router.url).port}`;
  const shards: Listening[] = [];
  for (const pool of ['mobile', 'desktop']) {
    const place = { WEIR_POOL: pool, WEIR_SHARD_ID: `${pool}-1`, WEIR_ROUTER_URL: routerUrl };
    shards.push(await run('shard', place));
  }
  await ready([router, ...shards]);
  const connection = await connect({ servers: nats.url });
  let n = 0;
  const lobby = setInterval(() => {
    const value = { name: `Reef ${n % LOBBY_KEYS}`, active: true, jackpot: n * 1.37, players: n % 97 };
    connection.publish(`weir.state.lobby.slot-${n++ % LOBBY_KEYS}`, JSON.stringify(value));
  }, LOBBY_EVERY_MS);
  const small = setInterval(() => {
    connection.publish(
      'weir.state.small.one',
      JSON.stringify({ n, noise: randomBytes(360).toString('base64') }),
    );
  }, SMALL_EVERY_MS);
  return {
    routerUrl,
    read: async (prefix) => {
      const texts = await Promise.all(
        shards.map(async ({ adminUrl }) => (await fetch(`${adminUrl}/metrics`)).text()),
      );
      return texts.flatMap((text) => text.split('\n').filter((line) => line.startsWith(prefix)));
    },
    stop: async () => {
      clearInterval(lobby);
      clearInterval(small);
      await connection.close();
      await Promise.all(
        started.map(async ({ child }) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const ended = once(child, 'exit');
          child.kill('SIGKILL');
          await ended;
        }),
      );
      await nats.stop();
    },
  };
}

type Listening = { readonly url: string; readonly adminUrl: string };

/** Until the router knows both shards. */
async function ready(services: readonly Listening[]): Promise<void> {
  const endMs = performance.now() + START_MS;
  for (const { adminUrl } of services) {
    for (;;) {
      const answer = await fetch(`${adminUrl}/readyz`);
      const text = await answer.text();
      if (answer.ok && (adminUrl !== services[0]?.adminUrl || text.includes('"shards":2'))) break;
      if (performance.now() > endMs) throw new Error(`is not ready: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
