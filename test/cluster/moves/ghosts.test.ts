// A client changes networks: the old path goes silent, the client resumes elsewhere, and the shard evicts the ghost.
// And tickets that are shown twice, by a client or by a proxy that repeats requests.
import type { AddressInfo } from 'node:net';
import { connect as connectTcp, createServer } from 'node:net';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { freePort } from '../../harness/free-port.ts';
import { expectSound, expectWholeFrames, residentMb } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

/** At full scale shards wait as long as by default: 10 s on desktop, 20 s on mobile. */
const shardEnv = scale<Readonly<Record<string, string>>>(
  // The living client must answer in this time, also on a busy machine.
  { WEIR_LAG_MS: '6000', WEIR_PING_MS: '500', WEIR_IDLE_PING_MS: '1000' },
  {},
);
const ROUNDS = scale(10, 50);
const EXACT_MS = 30_000;

let cluster: SmallCluster;
let nats: NatsConnection;
let shards: readonly Service[];

beforeEach(async () => {
  cluster = await SmallCluster.start();
  nats = await connectNats({ servers: cluster.nats.url });
});

afterEach(async () => {
  await nats.close();
  await cluster.stop();
});

async function connections(): Promise<number> {
  const counts = await Promise.all(shards.map((shard) => metric(shard, 'weir_shard_connections')));
  return counts.reduce((sum, count) => sum + count, 0);
}

it('sees each message once over many silent losses, and leaves no ghost (case F4)', async () => {
  shards = [
    await cluster.shard('desktop', 'desktop-1', shardEnv),
    await cluster.shard('mobile', 'mobile-1', shardEnv),
  ];
  const residentBefore = await Promise.all(shards.map(residentMb));
  const seenData: number[] = [];
  let lastId = 0;
  const ghosts: BareClient[] = [];
  let client: BareClient | undefined;
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = client;
    // The old path stays open, but from now on its client neither reads nor answers.
    before?.ws.pause();
    if (before !== undefined) ghosts.push(before);
    await jetstream(nats).publish('weir.critical.phone', String(sent++));
    client = await BareClient.connect(
      cluster.routerUrl,
      `channels=phone&class=${round % 2 === 0 ? 'desktop' : 'mobile'}`,
      before?.position,
    );
    const current = client;
    await until(() => current.of('position').length > 0, 'it is served');
    expect(current.of('gap')).toEqual([]);
    if (before !== undefined) expect(current.of('welcome')[0]?.message['resumed']).toBe(true);
    await jetstream(nats).publish('weir.critical.phone', String(sent++));
    await until(() => current.of('critical').at(-1)?.message['data'] === sent - 1, 'the newest message');
    // As the protocol requires: the client drops ids that it has.
    for (const { message } of current.of('critical')) {
      const id = Number(message['id']);
      if (id <= lastId) continue;
      lastId = id;
      seenData.push(Number(message['data']));
    }
    expectWholeFrames(current);
  }
  const lostMs = performance.now();
  // The first message was published before any client connected.
  expect(seenData).toEqual(Array.from({ length: sent - 1 }, (_, i) => i + 1));
  await until(
    async () => client?.closed !== undefined || (await connections()) === 1,
    'only the living one is counted',
    EXACT_MS,
  );
  const exactAfterMs = performance.now() - lostMs;
  expect(client?.closed).toBeUndefined();
  expectSound(cluster.running);
  const resident = await Promise.all(shards.map(residentMb));
  seen('F4', {
    'silent losses': ROUNDS,
    'messages seen once': seenData.length,
    'connections exact after s': exactAfterMs / 1_000,
    'memory grown by at most MB': Math.max(...resident.map((mb, at) => mb - (residentBefore[at] ?? 0))),
  });
  client?.close();
  for (const ghost of ghosts) ghost.ws.terminate();
});

it('a redirect that is followed again, on the same shard or another, opens nothing (case F4)', async () => {
  shards = [await cluster.shard('desktop', 'desktop-1'), await cluster.shard('desktop', 'desktop-2')];
  const admitted = async (): Promise<number> => {
    const counts = await Promise.all(
      shards.map((shard) => metric(shard, 'weir_shard_admissions_total{outcome="admitted"}')),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  for (let round = 1; round <= scale(5, 50); round++) {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=phone');
    await until(() => client.of('welcome').length > 0, 'it is served');
    const url = new URL(String(client.redirect['url']));
    const again = shards.map((shard) => {
      url.host = new URL(shard.url).host;
      return BareClient.open(url.href);
    });
    await until(() => again.every(({ closed }) => closed !== undefined), 'both are refused');
    expect(again.map(({ closed, frames }) => [closed, frames.length])).toEqual([
      [4003, 0],
      [4003, 0],
    ]);
    expect(client.closed).toBeUndefined();
    expect(await admitted()).toBe(round);
    client.close();
  }
  await until(async () => (await connections()) === 0, 'nobody is counted', EXACT_MS);
  expectSound(cluster.running);
});

it('a proxy that repeats the upgrade: one stream per ticket, and the client is served (case F4)', async () => {
  const port = await freePort();
  const proxy = await repeatingProxy(Number(port));
  shards = [
    await cluster.shard('desktop', 'desktop-1', {
      ...shardEnv,
      WEIR_PORT: port,
      WEIR_PUBLIC_URL: proxy.url,
    }),
  ];
  const [shard] = shards;
  if (shard === undefined) throw new Error('there is no shard');
  const clients = Array.from({ length: scale(2, 50) }, () => {
    const weir = connect({ url: cluster.routerUrl, channels: ['twice'], WebSocket });
    const got: number[] = [];
    weir.channel('twice').on('critical', ({ data }) => got.push(Number(data)));
    return { weir, got };
  });
  await until(() => clients.every(({ weir }) => weir.status === 'open'), 'all are served', 40_000);
  for (let i = 0; i < 20; i++) await jetstream(nats).publish('weir.critical.twice', String(i));
  await until(() => clients.every(({ got }) => got.at(-1) === 19), 'all have the last message');
  for (const { got } of clients) expect(got).toEqual(Array.from({ length: 20 }, (_, i) => i));
  const admissions = (outcome: string): Promise<number> =>
    metric(shard, `weir_shard_admissions_total{outcome="${outcome}"}`);
  // The shard admits one of the two connections with the same ticket, in any order.
  const counted = async (): Promise<string> =>
    `${proxy.pairs()} twice, ${await admissions('admitted')} admitted, ${await admissions('used')} used`;
  // The second connection may still be on its way.
  await until(
    async () => /^(\d+) twice, \1 admitted, \1 used$/.test(await counted()),
    'one of two is admitted',
  ).catch(async (cause: unknown) => {
    throw new Error(await counted(), { cause });
  });
  // The shard also evicts connections that the proxy opened and does not read.
  await until(async () => (await connections()) === clients.length, 'the connections are exact', EXACT_MS);
  seen('F4', { 'repeated upgrades': proxy.pairs(), clients: clients.length });
  for (const { weir } of clients) weir.close();
  await until(async () => (await connections()) === 0, 'nobody is counted', EXACT_MS);
  await proxy.close();
  expectSound(cluster.running);
});

/** Sends every request on two connections, and forwards the answers of the one or the other, in turns. */
async function repeatingProxy(
  port: number,
): Promise<{ url: string; pairs: () => number; close(): Promise<void> }> {
  let pairs = 0;
  const ends = new Set<() => void>();
  const server = createServer({ noDelay: true }, (near) => {
    const shown = pairs++ % 2;
    near.on('error', () => undefined);
    near.once('data', (request) => {
      const far = [0, 1].map((which) => {
        const socket = connectTcp(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(request);
        if (which === shown) near.pipe(socket).pipe(near);
        // The other connection is read, but never answered.
        else socket.resume();
        return socket;
      });
      const end = (): void => {
        far[shown]?.destroy();
      };
      near.on('close', end);
      ends.add(() => {
        for (const socket of [near, ...far]) socket.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pairs: () => pairs,
    close: () => {
      for (const end of ends) end();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
