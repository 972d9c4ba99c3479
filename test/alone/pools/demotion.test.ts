// A client whose network has become too slow for its pool is sent to the router for a new measurement and resumes.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const LAG_MS = 500;

let cluster: SmallCluster;
let desktop: Service;
let nats: NatsConnection;
let feed: NodeJS.Timeout;
let sent = 0;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  const env = { WEIR_DEMOTION_LAG_MS: String(LAG_MS), WEIR_MIN_STAY_MS: '0', WEIR_TICK_MS: '50' };
  desktop = await cluster.shard('desktop', 'desktop-1', env);
  await cluster.shard('mobile', 'mobile-1', env);
  nats = await connectNats({ servers: cluster.nats.url });
  feed = setInterval(() => {
    nats.publish('weir.critical.news', String(sent++));
    nats.publish('weir.state.news.n', String(sent));
  }, 50);
});

afterAll(async () => {
  clearInterval(feed);
  await nats.close();
  await cluster.stop();
});

/** Stops a client from reading until its data is late. */
async function choke(client: BareClient): Promise<void> {
  const pings = await metric(desktop, 'weir_shard_pings_total');
  client.ws.pause();
  await until(
    async () => (await metric(desktop, 'weir_shard_pings_total')) > pings,
    'a ping is under way that the client does not read',
  );
  const fromMs = performance.now();
  await until(() => performance.now() - fromMs > 2 * LAG_MS, 'it is late');
  client.ws.resume();
}

describe('a client that is too slow for its pool', () => {
  it('is asked to move, is measured again, and misses nothing on its way to the other pool', async () => {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=news');
    expect(client.redirect['pool']).toBe('desktop');
    await until(() => client.ids.length > 3 && client.position !== undefined, 'it is served');
    await choke(client);
    await until(() => client.of('move').length === 1, 'it is asked to move');
    const move = client.of('move')[0]?.message ?? {};
    expect(move).toMatchObject({ reason: 'tooSlow', withinMs: 10_000 });
    const moved = await BareClient.connect(String(move['url']), '', client.position);
    await until(() => moved.ids.length > 3, 'it is served elsewhere');
    expect(moved.of('welcome')[0]?.message).toMatchObject({ pool: 'mobile', resumed: true });
    client.close();
    const ids = [...new Set([...client.ids, ...moved.ids])].sort((a, b) => a - b);
    expect(ids).toEqual(Array.from(ids, (_, i) => (ids[0] ?? 0) + i));
    expect(moved.of('gap')).toEqual([]);
    expect(await metric(desktop, 'weir_shard_moves_total{reason="tooSlow"}')).toBe(1);
    expect(await metric(cluster.router, 'weir_router_hints_total{outcome="measureAgain"}')).toBe(1);
    moved.close();
  });

  it('is not moved if many turn slow together: then the shard or the edge is slow', async () => {
    const movesBefore = await metric(desktop, 'weir_shard_moves_total{reason="tooSlow"}');
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => BareClient.connect(cluster.routerUrl, 'channels=news')),
    );
    await until(() => clients.every(({ ids }) => ids.length > 3), 'all are served');
    await Promise.all(clients.map(choke));
    await until(
      async () => (await metric(desktop, 'weir_shard_slow_pongs_total{verdict="shardIsSlow"}')) > 0,
      'the shard blames itself',
    );
    const moves = await metric(desktop, 'weir_shard_moves_total{reason="tooSlow"}');
    // With so few clients at most one move a second, until enough are slow to tell the cause.
    expect(moves - movesBefore).toBeLessThanOrEqual(2);
    for (const client of clients) client.close();
  });
});
