// Wall clocks that differ between router and shard, or jump while they run.
import { connect } from '@weir/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../harness/bare-client.ts';
import { metric, SmallCluster, until } from '../harness/small-cluster.ts';

let cluster: SmallCluster;

beforeEach(async () => {
  cluster = await SmallCluster.start();
});

afterEach(() => cluster.stop());

/** The environment of a process whose wall clock is wrong by so much, from the start or from SIGUSR2 on. */
function clock(offMs: number, when: 'always' | 'onSignal' = 'always'): Readonly<Record<string, string>> {
  const script = `
    const right = Date.now;
    let off = ${when === 'always' ? offMs : 0};
    Date.now = () => right() + off;
    process.on('SIGUSR2', () => { off = ${offMs}; });`;
  return { NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(script).toString('base64')}` };
}

const skew = (): Promise<number> => metric(cluster.router, 'weir_router_beat_clock_skew_seconds');

it.each([-5_000, 5_000])('a shard that is %i ms off serves everybody (case C8)', async (offMs) => {
  await cluster.shard('desktop', 'desktop-1', clock(offMs));
  for (let i = 0; i < 5; i++) {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=lobby');
    await until(() => client.of('state').length > 0, 'it is served');
    client.close();
  }
});

it.each([-90_000, 90_000])('one that is %i ms off is named, and tried rarely (case C8)', async (offMs) => {
  const shard = await cluster.shard('desktop', 'desktop-1', clock(offMs));
  expect(Math.abs(await skew())).toBeGreaterThan(80);
  const weir = connect({ url: cluster.routerUrl, channels: ['lobby'], WebSocket });
  const startMs = performance.now();
  const outcome = offMs < 0 ? 'clockSkew' : 'expired';
  const refused = (): Promise<number> => metric(shard, `weir_shard_admissions_total{outcome="${outcome}"}`);
  await until(async () => (await refused()) > 0, 'the ticket is refused');
  await until(() => performance.now() - startMs > 5_000, 'the SDK has had time to try again');
  expect(await refused()).toBeLessThanOrEqual(6);
  expect(weir.status).not.toBe('open');
  expect(await metric(shard, 'weir_shard_admissions_total{outcome="admitted"}')).toBe(0);
  weir.close();
});

it.each([-3_600_000, 3_600_000])(
  'a jump of %i ms evicts nobody and kills no shard (case C8)',
  async (offMs) => {
    const shard = await cluster.shard('desktop', 'desktop-1', {
      ...clock(offMs, 'onSignal'),
      WEIR_LAG_MS: '2000',
      WEIR_IDLE_PING_MS: '1000',
    });
    const client = await BareClient.connect(cluster.routerUrl, 'channels=lobby');
    await until(() => client.of('state').length > 0, 'it is served');
    shard.process.kill('SIGUSR2');
    await until(async () => Math.abs(await skew()) > 3_000, 'the router has heard the new time');
    const jumpedMs = performance.now();
    await until(() => performance.now() - jumpedMs > 4_000, 'more than the lag and the silence have passed');
    expect(client.closed).toBeUndefined();
    expect(await (await fetch(`${cluster.router.admin}/readyz`)).text()).toContain('"shards":1');
    expect((await fetch(`${shard.admin}/readyz`)).ok).toBe(true);
    client.close();
  },
);
