// Second looks at a network that changes under the connection, with real services: the client is moved by what its shard
// measures. The router believes that it is fast, and measures again whether it is slow.
import type { MoveEvent } from '@weir/client';
import { connect } from '@weir/client';
import type { Profile } from '@weir/local';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChangingNetwork } from '../../harness/changing-network.ts';
import { freePort } from '../../harness/free-port.ts';
import { isExhaustive, onlyInCi } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const PATIENCE_MS = 150_000;
/** A threshold with a margin to the networks below, for busy machines. */
const RATE_KBPS = '600';
const both = (shape: Profile['down']): Profile => ({ down: shape, up: shape });
const good = both({ kbps: 50_000, delayMs: 10 });
/** Good enough for any stream here: no delivery is ever late. Only its rate is too low for the faster pool. */
const narrow = both({ kbps: 150, delayMs: 15 });

let cluster: SmallCluster;
let mobile: Service;
let desktop: Service;
let routerUrl = '';
const network = new ChangingNetwork(narrow);

beforeAll(async () => {
  cluster = await SmallCluster.start({}, { WEIR_PROBE_RATE_THRESHOLD_KBPS: RATE_KBPS });
  routerUrl = await network.to(Number(new URL(cluster.routerUrl).port));
  const start = async (pool: string): Promise<Service> => {
    const port = await freePort();
    return cluster.shard(pool, `${pool}-1`, {
      WEIR_PORT: port,
      WEIR_PUBLIC_URL: await network.to(Number(port)),
      WEIR_ROUTER_URL: routerUrl,
      WEIR_IDLE_PING_MS: '1000',
      WEIR_MIN_STAY_MS: '1000',
      WEIR_MOVE_BACKOFF_MS: '1000',
      WEIR_PROMOTION_HEALTH_MS: '2000',
      WEIR_LOOK_AFTER_MS: '2000',
      WEIR_LOOK_EVERY_MS: '2000',
    });
  };
  mobile = await start('mobile');
  desktop = await start('desktop');
});

afterAll(async () => {
  await cluster.stop();
  await network.close();
});

const looks = (router: string, shard: string): string =>
  `weir_shard_looks_total{router="${router}",shard="${shard}"}`;

it.skipIf(!isExhaustive)(`follows a network up and down${onlyInCi}`, async () => {
  const weir = connect({ url: routerUrl, channels: ['news'] });
  const moves: MoveEvent[] = [];
  weir.on('move', (event) => moves.push(event));
  await until(async () => (await metric(mobile, looks('slow', 'slow'))) > 0, 'it is looked at', PATIENCE_MS);
  expect(moves).toEqual([]);
  expect(weir.info.pool).toBe('mobile');
  const measured = await metric(cluster.router, 'weir_router_probes_total{outcome="measured"}');

  network.change(good);
  await until(() => moves.length > 0, 'it is promoted', PATIENCE_MS);
  expect(moves[0]).toMatchObject({ pool: 'desktop', reason: 'promote', resumed: true });

  network.change(narrow);
  await until(() => moves.length > 1, 'it is sent back', PATIENCE_MS);
  expect(moves[1]).toMatchObject({ pool: 'mobile', reason: 'tooSlow', resumed: true });

  // A train is never early, but may be late for many reasons: the router confirms what is slow.
  expect(await metric(cluster.router, 'weir_router_probes_total{outcome="told"}')).toBe(1);
  expect(await metric(cluster.router, 'weir_router_probes_total{outcome="measured"}')).toBe(measured + 1);
  expect(await metric(mobile, 'weir_shard_repair_seconds_count')).toBe(1);
  expect(await metric(desktop, 'weir_shard_repair_seconds_count')).toBe(1);
  weir.close();
});
