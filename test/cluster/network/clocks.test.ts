// Wall clocks that differ between router and shard, or jump while services run.
import { connect } from '@weir/client';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { wrongClock } from '../../harness/clocks.ts';
import { expectSound } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

type Whose = 'shard' | 'router';

const HOUR_MS = 3_600_000;
const CLIENTS = scale(5, 50);
/** How long to watch clients whose tickets are refused, and a cluster after its clock has jumped. */
const WATCH_MS = scale(2_000, 60_000);
const JUMP_MS = scale(4_000, 60_000);
/** At full scale the defaults. */
const shardEnv = scale<Readonly<Record<string, string>>>(
  { WEIR_LAG_MS: '2000', WEIR_IDLE_PING_MS: '1000' },
  {},
);
/** A client reconnects at once, and then at most every 5 s. */
const triesOfOne = (watchedMs: number): number => 2 + watchedMs / 5_000;

let cluster: SmallCluster;

afterEach(() => cluster.stop());

async function start(
  whose: Whose,
  clock: Readonly<Record<string, string>>,
  shardEnv: Readonly<Record<string, string>> = {},
): Promise<Service> {
  cluster = await SmallCluster.start({ WEIR_LOG_LEVEL: 'warn' }, whose === 'router' ? clock : {});
  return cluster.shard('desktop', 'desktop-1', { ...shardEnv, ...(whose === 'shard' ? clock : {}) });
}

const skew = (): Promise<number> => metric(cluster.router, 'weir_router_beat_clock_skew_seconds');

const admissions = (shard: Service, outcome: string): Promise<number> =>
  metric(shard, `weir_shard_admissions_total{outcome="${outcome}"}`);

const refused = async (shard: Service): Promise<number> =>
  (await admissions(shard, 'clockSkew')) + (await admissions(shard, 'expired'));

async function isServed(): Promise<void> {
  const client = await BareClient.connect(cluster.routerUrl, 'channels=lobby');
  await until(() => client.of('state').length > 0, 'it is served');
  client.close();
}

/** At small scale: a shard that is behind, and a router that is behind, which has the opposite effect on tickets. */
const both = (offMs: number): readonly [Whose, number][] => [
  ['shard', -offMs],
  ['router', -offMs],
  ...scale<readonly [Whose, number][]>(
    [],
    [
      ['shard', offMs],
      ['router', offMs],
    ],
  ),
];

it.each<[Whose, number]>(both(5_000))(
  'a %s that is %i ms off: every client is served (case C8)',
  async (whose, offMs) => {
    const shard = await start(whose, wrongClock(offMs));
    for (let i = 0; i < CLIENTS; i++) await isServed();
    expect(await refused(shard)).toBe(0);
    expectSound(cluster.running);
  },
);

it.each<[Whose, number]>(both(90_000))(
  'a %s that is %i ms off is named, and tried rarely (case C8)',
  async (whose, offMs) => {
    const shard = await start(whose, wrongClock(offMs));
    expect(Math.abs(await skew())).toBeGreaterThan(80);
    const clients = Array.from({ length: CLIENTS }, () =>
      connect({ url: cluster.routerUrl, channels: ['lobby'], WebSocket }),
    );
    const startMs = performance.now();
    await until(async () => (await refused(shard)) > 0, 'tickets are refused');
    await elapsed(WATCH_MS);
    const tries = await refused(shard);
    const watchedMs = performance.now() - startMs;
    expect(tries).toBeLessThanOrEqual(CLIENTS * triesOfOne(watchedMs));
    expect(tries).toBeGreaterThanOrEqual(CLIENTS);
    // A shard behind the router sees tickets from the future, a shard ahead of it expired ones.
    const isBehind = whose === 'shard' ? offMs < 0 : offMs > 0;
    expect(await admissions(shard, isBehind ? 'expired' : 'clockSkew')).toBe(0);
    expect(clients.map(({ status }) => status)).not.toContain('open');
    expect(await admissions(shard, 'admitted')).toBe(0);
    const says = (): boolean => cluster.router.log.some((line) => line.includes('clock of a shard'));
    // The router checks every 10 s, too long for the small scale.
    await scale(
      async () => undefined,
      () => until(says, "the router's log names it"),
    )();
    for (const client of clients) client.close();
    expectSound(cluster.running);
    seen('C8', {
      whose,
      'off s': offMs / 1_000,
      clients: CLIENTS,
      'seconds between two tries of a client': (watchedMs / 1_000 / tries) * CLIENTS,
    });
  },
  120_000,
);

it.each<[Whose, number]>(both(HOUR_MS))(
  'the clock of a %s jumps by %i ms: no client is evicted and no shard is lost (case C8)',
  async (whose, offMs) => {
    const shard = await start(whose, wrongClock(offMs, 'onSignal'), shardEnv);
    const jumping = whose === 'shard' ? shard : cluster.router;
    const clients: BareClient[] = [];
    for (let i = 0; i < CLIENTS; i++)
      clients.push(await BareClient.connect(cluster.routerUrl, 'channels=lobby'));
    await until(() => clients.every((client) => client.of('state').length > 0), 'all are served');
    jumping.process.kill('SIGUSR2');
    await until(async () => Math.abs(await skew()) > 3_000, 'the router has heard the new time');
    const latecomer = connect({ url: cluster.routerUrl, channels: ['lobby'], WebSocket });
    // Longer than the lag limit and the time after which a silent shard counts as gone.
    await elapsed(JUMP_MS);
    expect(clients.map(({ closed }) => closed)).toEqual(clients.map(() => undefined));
    expect(await (await fetch(`${cluster.router.admin}/readyz`)).text()).toContain('"shards":1');
    expect((await fetch(`${shard.admin}/readyz`)).ok).toBe(true);
    const tries = await refused(shard);
    expect(tries).toBeLessThanOrEqual(triesOfOne(JUMP_MS + 1_000));
    // Corrects the clock.
    jumping.process.kill('SIGUSR2');
    await until(async () => Math.abs(await skew()) < 3, 'the router has heard the right time');
    await isServed();
    await until(() => latecomer.status === 'open', 'who came meanwhile is served, too');
    expect(clients.map(({ closed }) => closed)).toEqual(clients.map(() => undefined));
    latecomer.close();
    for (const client of clients) client.close();
    expectSound(cluster.running);
    seen('C8', { whose, 'jumped h': offMs / HOUR_MS, clients: CLIENTS, evicted: 0 });
  },
  120_000,
);
