// A shard looks a second time at a client's network: a client in the wrong pool is moved by what the shard measured, and
// the router believes it.
import type { Finding } from '@weir/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';
import { streamUrl } from '../../harness/stream-url.ts';

const PATIENCE_MS = 60_000;
const thresholds = { kbps: 2_000, rttMs: 270 };

let cluster: SmallCluster;
let mobile: Service;
let desktop: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start({}, {});
  const env = {
    WEIR_LOOK_AFTER_MS: '1000',
    WEIR_LOOK_EVERY_MS: '2000',
    WEIR_IDLE_PING_MS: '1000',
    WEIR_LOG_LEVEL: 'debug',
  };
  mobile = await cluster.shard('mobile', 'mobile-1', env);
  desktop = await cluster.shard('desktop', 'desktop-1', env);
});

afterAll(() => cluster.stop());

async function open(service: Service, pool: string, finding: Finding): Promise<BareClient> {
  const to = { pool, shard: `${pool}-1`, url: service.url, channels: ['news'], finding };
  return BareClient.open(await streamUrl(cluster, to));
}

const looks = (router: string, shard: string): string =>
  `weir_shard_looks_total{router="${router}",shard="${shard}"}`;

describe('a client on a fast network', () => {
  it('that the router took for a slow one is moved, and not measured again', async () => {
    const client = await open(mobile, 'mobile', { class: 'slow', confidence: 'low', thresholds });
    await until(() => client.of('move').length > 0, 'it is asked to move', PATIENCE_MS);
    expect(client.of('move')[0]?.message).toMatchObject({ reason: 'promote' });
    const measured = await metric(cluster.router, 'weir_router_probes_total{outcome="measured"}');
    const moved = await BareClient.connect(String(client.of('move')[0]?.message['url']), '');
    await until(() => moved.of('welcome').length > 0, 'it is served', PATIENCE_MS);
    expect(moved.redirect).toMatchObject({ pool: 'desktop', confidence: 'high' });
    expect(Number(moved.redirect['kbps'])).toBeGreaterThan(thresholds.kbps);
    expect(await metric(cluster.router, 'weir_router_probes_total{outcome="told"}')).toBe(1);
    expect(await metric(cluster.router, 'weir_router_probes_total{outcome="measured"}')).toBe(measured);
    expect(await metric(mobile, looks('slow', 'fast'))).toBe(1);
    expect(await metric(mobile, 'weir_shard_repair_seconds_count')).toBe(1);
    expect(await metric(mobile, 'weir_shard_look_bytes_total')).toBeGreaterThan(10_000);
    expect(mobile.log.some((line) => line.includes('looked at the network of a client'))).toBe(true);
    client.close();
    moved.close();
  });

  it('that is in the fast pool stays there, and no application sees the padding', async () => {
    const client = await open(desktop, 'desktop', { class: 'fast', confidence: 'low', thresholds });
    await until(
      async () => (await metric(desktop, looks('fast', 'fast'))) > 1,
      'it is looked at twice',
      PATIENCE_MS,
    );
    expect(client.of('move')).toEqual([]);
    expect(client.frames.every(({ message }) => typeof message['type'] === 'string')).toBe(true);
    expect(client.closed).toBeUndefined();
    client.close();
  });

  it('that asked for the slow pool is not looked at', async () => {
    const before = await metric(mobile, 'weir_shard_look_bytes_total');
    const client = await BareClient.connect(cluster.routerUrl, 'channels=news&class=mobile');
    const other = await open(mobile, 'mobile', { class: 'slow', confidence: 'low', thresholds });
    await until(() => other.of('move').length > 0, 'another client is asked to move', PATIENCE_MS);
    expect(client.of('move')).toEqual([]);
    expect(await metric(mobile, 'weir_shard_look_bytes_total')).toBeGreaterThan(before);
    client.close();
    other.close();
  });
});
