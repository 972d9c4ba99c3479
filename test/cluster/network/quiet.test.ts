// Connections without published messages, behind a proxy that cuts silent connections.
import type { AddressInfo } from 'node:net';
import { connect as connectTcp, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askRouter, BareClient } from '../../harness/bare-client.ts';
import { expectSound } from '../../harness/oracle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { scale, seen } from '../../harness/scale.ts';
import { elapsed, SmallCluster, until } from '../../harness/small-cluster.ts';

/** At full scale as in the report, with the shards' default pings. */
const CUT_MS = scale(2_500, 25_000);
const QUIET_MS = scale(3 * CUT_MS, 300_000);
const shardEnv: Readonly<Record<string, string>> = scale({ WEIR_IDLE_PING_MS: '1000' }, {});
/** Minimum time between two pings of a client. */
const PING_MS = scale(1_000, 10_000);
const CLIENTS = 10;

let cluster: SmallCluster;
const closers: (() => void)[] = [];

beforeAll(async () => {
  cluster = await SmallCluster.start();
  for (const pool of ['desktop', 'mobile']) await cluster.shard(pool, `${pool}-1`, shardEnv);
});

afterAll(async () => {
  for (const close of closers) close();
  await cluster.stop();
});

/** Forwards to `target`, and cuts a connection if `target` sends no byte for `CUT_MS`. */
async function cuttingProxy(target: URL): Promise<string> {
  const server = createServer((near) => {
    const far = connectTcp(Number(target.port), target.hostname);
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    const timer = setTimeout(cut, CUT_MS);
    far.on('data', () => timer.refresh());
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut);
    near.on('close', () => clearTimeout(timer));
    near.pipe(far).pipe(near);
  });
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Quiet {
  readonly client: BareClient;
  readonly pool: string;
  readonly pingsAtMs: number[];
}

async function quiet(pool: string, through: string): Promise<Quiet> {
  const redirect = await askRouter(`${cluster.routerUrl}/v1/connect?channels=quiet&class=${pool}`);
  const url = new URL(String(redirect['url']));
  url.host = through;
  const client = BareClient.open(url.href, redirect);
  const pingsAtMs: number[] = [];
  client.ws.on('ping', () => pingsAtMs.push(performance.now()));
  await until(() => client.of('position').length > 0, 'it is served');
  return { client, pool, pingsAtMs };
}

it('stay alive by pings alone, and few of them (case C7)', async () => {
  const shards = cluster.running.filter(({ name }) => name === 'shard');
  const through = await Promise.all(shards.map(({ url }) => cuttingProxy(new URL(url))));
  const clients = (
    await Promise.all(
      ['desktop', 'mobile'].map((pool, at) =>
        Promise.all(Array.from({ length: CLIENTS }, () => quiet(pool, through[at] ?? ''))),
      ),
    )
  ).flat();
  const startMs = performance.now();
  await elapsed(QUIET_MS);
  const seconds = (performance.now() - startMs) / 1_000;
  for (const { client, pingsAtMs } of clients) {
    expect(client.closed).toBeUndefined();
    // The pings for the first published data are not part of the quiet time.
    const pings = pingsAtMs.filter((atMs) => atMs > startMs + PING_MS).length;
    expect(pings).toBeGreaterThan(0);
    expect(pings).toBeLessThanOrEqual((seconds * 1_000) / PING_MS);
    client.close();
  }
  expectSound(cluster.running);
  const rates = clients.map(({ pingsAtMs }) => (pingsAtMs.length * 10) / seconds);
  seen('C7', {
    clients: clients.length,
    'quiet seconds': seconds,
    dropped: 0,
    'most pings a client in 10 s': Math.max(...rates),
  });
}, 330_000);

it('a client that waits silently for the router is answered before such a proxy cuts it (case C7)', async () => {
  const url = new URL(cluster.routerUrl);
  const through = await cuttingProxy(url);
  const waiting = new RawClient(`ws://${through}/v1/connect?channels=quiet`, { answers: () => false });
  await until(() => waiting.closeCode !== undefined, 'it is answered');
  expect([waiting.of('redirect').length, waiting.closeCode]).toEqual([1, 4001]);
  waiting.socket.destroy();
});
