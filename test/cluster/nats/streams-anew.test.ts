// Streams that are deleted, purged or lost with their disk: shards notice, and clients end with the current state.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { publishUntilKept } from '../../harness/publish-until-kept.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let nats: NatsConnection;
let shards: readonly Service[];

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shards = [await cluster.shard('desktop', 'desktop-1'), await cluster.shard('mobile', 'mobile-1')];
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

const keep = (subject: string, value: string): Promise<number> =>
  publishUntilKept(nats, { subject, value, id: `${subject} ${value}` });

/** Records what one SDK client gets on one channel. */
function watch(channel: string): { weir: Weir; got: unknown[]; gaps: unknown[]; keys: () => object } {
  const weir = connect({ url: cluster.routerUrl, channels: [channel], WebSocket });
  const got: unknown[] = [];
  const gaps: unknown[] = [];
  weir.channel(channel).on('critical', ({ data }) => got.push(data));
  weir.channel(channel).on('gap', (gap) => gaps.push(gap));
  return { weir, got, gaps, keys: () => Object.fromEntries(weir.channel(channel).state) };
}

async function three(
  channel: string,
): Promise<{ bare: readonly BareClient[]; sdk: ReturnType<typeof watch>; close: () => void }> {
  const bare = [
    await BareClient.connect(cluster.routerUrl, `channels=${channel}`),
    await BareClient.connect(cluster.routerUrl, `channels=${channel}&class=mobile`),
  ];
  const sdk = watch(channel);
  await until(() => bare.every((client) => client.of('state').length > 0), 'both have a snapshot');
  await until(() => sdk.weir.status === 'open', 'the SDK is served');
  const close = (): void => {
    for (const client of bare) client.close();
    sdk.weir.close();
  };
  return { bare, sdk, close };
}

const problems = (shard: Service, stream: 'state' | 'critical'): Promise<number> =>
  metric(shard, `weir_shard_intake_problems_total{stream="${stream}",problem="epoch"}`);

/** Waits until clients have exactly `keys`, and no shard is stale. */
async function settled(
  { bare, sdk }: { bare: readonly BareClient[]; sdk: ReturnType<typeof watch> },
  keys: Readonly<Record<string, number>>,
): Promise<void> {
  const wanted = JSON.stringify(keys);
  const sorted = (entries: Iterable<readonly [string, unknown]>): string =>
    JSON.stringify(
      Object.fromEntries(
        [...entries].map(([k, v]) => [k, Number(v)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    );
  for (const client of bare) await until(() => sorted(client.state) === wanted, `a client has ${wanted}`);
  await until(() => sorted(Object.entries(sdk.keys())) === wanted, `the SDK has ${wanted}`);
  for (const shard of shards) {
    await until(async () => (await metric(shard, 'weir_shard_stale')) === 0, 'the shard is current');
  }
}

describe('the state stream (case B1)', () => {
  it('deleted: clients lose the old keys, get the new ones, and old positions get a snapshot', async () => {
    for (let i = 0; i < 60; i++) await keep(`weir.state.gone.k${i % 6}`, String(i));
    const clients = await three('gone');
    await settled(clients, { k0: 54, k1: 55, k2: 56, k3: 57, k4: 58, k5: 59 });
    const [first] = clients.bare;
    await until(() => first?.position !== undefined, 'a position');
    const before = first?.position;
    const noticed = await Promise.all(shards.map((shard) => problems(shard, 'state')));

    await (await jetstreamManager(nats)).streams.delete('WEIR_STATE');
    // Fewer messages than the old stream had: their sequences are below those that the shards have read.
    await keep('weir.state.gone.k1', '101');
    await keep('weir.state.gone.fresh', '102');
    await settled(clients, { fresh: 102, k1: 101 });
    for (const [at, shard] of shards.entries()) {
      expect(await problems(shard, 'state')).toBeGreaterThan(noticed[at] ?? 0);
    }
    for (const client of clients.bare) {
      expect(client.of('state').filter(({ message }) => message['snapshot'] === true).length).toBeGreaterThan(
        1,
      );
      expect(client.closed).toBeUndefined();
    }
    const late = await BareClient.connect(cluster.routerUrl, 'channels=gone', before);
    await until(() => late.of('state').length > 0, 'what is there');
    expect(late.of('welcome')[0]?.message['resumed']).toBe(false);
    expect(late.of('state')[0]?.message['snapshot']).toBe(true);
    expect([...late.state.keys()].sort()).toEqual(['fresh', 'k1']);
    late.close();
    clients.close();
  });

  it('recreated with more messages than before: the new values win', async () => {
    for (let i = 0; i < 5; i++) await keep(`weir.state.more.k${i}`, String(i));
    const clients = await three('more');
    await settled(clients, { k0: 0, k1: 1, k2: 2, k3: 3, k4: 4 });
    const manager = await jetstreamManager(nats);
    const { config } = await manager.streams.info('WEIR_STATE');
    await manager.streams.delete('WEIR_STATE');
    await manager.streams.add(config);
    for (let i = 0; i < 300; i++) await keep(`weir.state.more.k${2 + (i % 3)}`, String(1_000 + i));
    await settled(clients, { k2: 1_297, k3: 1_298, k4: 1_299 });
    clients.close();
  });

  it('purged: the keys vanish everywhere', async () => {
    await keep('weir.state.purged.a', '1');
    await keep('weir.state.purged.b', '2');
    const clients = await three('purged');
    await settled(clients, { a: 1, b: 2 });
    const settledMs = performance.now();
    // Shards detect a purge by a lower message count than at their last check; here they check once a second.
    await until(() => performance.now() - settledMs > 2_500, 'the shards have looked at the stream since');
    await (await jetstreamManager(nats)).streams.purge('WEIR_STATE', { filter: 'weir.state.purged.a' });
    await settled(clients, { b: 2 });
    clients.close();
  });
});

describe('the critical stream (case B1)', () => {
  it('deleted: a gap with reset, then the new messages once and in order, although their ids are lower', async () => {
    const clients = await three('news');
    for (let i = 0; i < 30; i++) await keep('weir.critical.news', String(i));
    await until(() => clients.sdk.got.length === 30, 'the SDK has all');
    for (const client of clients.bare) await until(() => client.ids.length === 30, 'the client has all');
    await (await jetstreamManager(nats)).streams.delete('WEIR_CRITICAL');
    const sent: number[] = [];
    for (let i = 100; i < 110; i++) {
      await keep('weir.critical.news', String(i));
      sent.push(i);
    }
    await until(() => clients.sdk.got.at(-1) === 109, 'the SDK has the last');
    expect(clients.sdk.got.slice(30)).toEqual(sent);
    expect(clients.sdk.gaps).toHaveLength(1);
    expect(clients.sdk.gaps[0]).toMatchObject({ reset: true });
    for (const client of clients.bare) {
      await until(() => client.of('critical').at(-1)?.message['data'] === 109, 'the client has the last');
      const gaps = client.of('gap');
      expect(gaps.map(({ message }) => message)).toEqual([
        { type: 'gap', channel: 'news', lane: 'critical', after: client.ids[29], reset: true },
      ]);
      const [gap] = gaps;
      if (gap === undefined) throw new Error('there is no gap');
      const after = client.frames.slice(client.frames.indexOf(gap));
      const since = after.filter(({ message }) => message['type'] === 'critical');
      expect(since.map(({ message }) => message['data'])).toEqual(sent);
      expect(since.length + 30).toBe(client.ids.length);
      expect(client.closed).toBeUndefined();
    }
    clients.close();
  });
});

describe("the server's disk (case B1)", () => {
  it('lost: both streams are recreated, and clients have the new state and messages', async () => {
    await keep('weir.state.disk.old', '1');
    const clients = await three('disk');
    await keep('weir.critical.disk', '1');
    await until(() => clients.sdk.got.length === 1, 'the SDK has the message');
    await settled(clients, { old: 1 });
    await cluster.nats.kill();
    for (const name of await readdir(cluster.nats.storeDir)) {
      await rm(join(cluster.nats.storeDir, name), { recursive: true });
    }
    await cluster.nats.restart();
    await keep('weir.state.disk.new', '2');
    await keep('weir.critical.disk', '2');
    await settled(clients, { new: 2 });
    await until(() => clients.sdk.got.length === 2, 'the SDK has the new message');
    expect(clients.sdk.got).toEqual([1, 2]);
    expect(clients.sdk.gaps).toHaveLength(1);
    for (const client of clients.bare) {
      await until(() => client.ids.length === 2, 'the client has the new message');
      expect(client.of('gap')).toHaveLength(1);
      expect(client.closed).toBeUndefined();
    }
    clients.close();
  });
});
