// Connections on which nothing is published, behind a proxy that cuts whatever is silent.
import type { AddressInfo } from 'node:net';
import { connect as connectTcp, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askRouter, BareClient } from '../harness/bare-client.ts';
import { SmallCluster, until } from '../harness/small-cluster.ts';

const CUT_MS = 2_500;
const PING_MS = 1_000;

let cluster: SmallCluster;
const closers: (() => void)[] = [];

beforeAll(async () => {
  cluster = await SmallCluster.start();
  for (const pool of ['desktop', 'mobile']) {
    await cluster.shard(pool, `${pool}-1`, { WEIR_IDLE_PING_MS: String(PING_MS) });
  }
});

afterAll(async () => {
  for (const close of closers) close();
  await cluster.stop();
});

/** Forwards to `target`, and cuts a connection on which no byte has come from there for `CUT_MS`. */
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

it('live on by pings alone, of which there are few (case C7)', async () => {
  const clients = await Promise.all(
    ['desktop', 'mobile'].map(async (pool) => {
      const redirect = await askRouter(`${cluster.routerUrl}/v1/connect?channels=quiet&class=${pool}`);
      const url = new URL(String(redirect['url']));
      url.host = await cuttingProxy(new URL(url));
      const client = BareClient.open(url.href, redirect);
      let pings = 0;
      client.ws.on('ping', () => pings++);
      await until(() => client.of('position').length > 0, 'it is served');
      return { client, pings: () => pings, startMs: performance.now() };
    }),
  );
  await until(
    () => clients.every(({ startMs }) => performance.now() - startMs > 3 * CUT_MS),
    'the proxy would have cut three times',
  );
  for (const { client, pings, startMs } of clients) {
    expect(client.closed).toBeUndefined();
    expect(pings()).toBeLessThanOrEqual((performance.now() - startMs) / PING_MS + 3);
    client.close();
  }
});
