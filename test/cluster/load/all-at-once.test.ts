// All clients lose their connection together: a shard is killed under load, a proxy is reloaded, and the router to
// which all reconnect is slow. All clients reconnect, with all they missed, and without a stampede.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Crowd, visitsSince } from '../../harness/crowd.ts';
import { end } from '../../harness/end.ts';
import { freePort } from '../../harness/free-port.ts';
import { cpuSeconds, expectSound } from '../../harness/oracle.ts';
import type { Accepts } from '../../harness/proxies.ts';
import { Proxies } from '../../harness/proxies.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const CLIENTS = scale(200, 3_000);
const KEYS = 20;
const BACK_MS = 30_000;
/** At full scale even few messages take most of a processor on the client side. */
const PUBLISH_MS = scale(10, 2_000);
const BEFORE = scale(20, 5);
const WHILE = scale(60, 10);
/** At small scale clients reconnect within a second; the SDK's own tests check its retry policy. */
const reconnect = scale({ spreadMs: 1_000 }, {});
const FULLEST_SECOND = scale(1.01, 0.2);
/** Share of a processor, in the busiest second of a shard that clients reconnect to. */
const MOST_PROCESSOR = scale(Number.POSITIVE_INFINITY, 0.9);

let cluster: SmallCluster;
let nats: NatsConnection;
const closers: (() => void | Promise<void>)[] = [];

beforeEach(async () => {
  cluster = await SmallCluster.start();
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1 });
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await nats.close();
  await cluster.stop();
});

/** Clients that all have a stream; they connect at a pace that a router can handle. */
async function crowd(url: string, size: number): Promise<Crowd> {
  const processes = scale(1, 3);
  const paceMs = scale(0, 12);
  const joined = new Crowd({ url, channel: 'load', size, processes, paceMs, reconnect });
  closers.push(() => joined.stop());
  await until(() => joined.open === size, 'all are open', 120_000);
  return joined;
}

/** The busiest second of each process, as a share of a processor. `stop` ends the watch. */
function watchProcessors(services: readonly Service[]): { stop(): Promise<number> } {
  let isOver = false;
  const watching = (async () => {
    let most = 0;
    let [lastMs, last] = [performance.now(), await Promise.all(services.map(cpuSeconds))];
    while (!isOver) {
      await elapsed(1_000);
      const [nowMs, now] = [performance.now(), await Promise.all(services.map(cpuSeconds))];
      const shares = now.map((used, at) => ((used - (last[at] ?? used)) * 1_000) / (nowMs - lastMs));
      most = Math.max(most, ...shares);
      [lastMs, last] = [nowMs, now];
    }
    return most;
  })();
  return {
    stop: () => {
      isOver = true;
      return watching;
    },
  };
}

/** Runs `lose` under load. Fails unless all clients are back before the deadline with everything published. */
async function survived(
  which: string,
  clients: Crowd,
  others: readonly Service[],
  lose: () => Promise<unknown>,
): Promise<void> {
  let sent = 0;
  const publish = async (): Promise<void> => {
    nats.publish(`weir.state.load.k${sent % KEYS}`, String(sent));
    await jetstream(nats).publish('weir.critical.load', String(sent));
    sent++;
  };
  for (let i = 0; i < BEFORE; i++) await publish();
  await until(() => clients.leastGot === sent, 'all have the first messages', 60_000);

  const processors = watchProcessors(others);
  const { losses } = clients;
  const lostAtMs = performance.timeOrigin + performance.now();
  await lose();
  const lostMs = performance.now();
  await until(() => clients.losses > losses, 'they have noticed');
  let backAtMs = Number.POSITIVE_INFINITY;
  // Publishing continues while they reconnect.
  const loading = (async () => {
    while (backAtMs === Number.POSITIVE_INFINITY || sent < WHILE) {
      await publish();
      await elapsed(PUBLISH_MS);
    }
  })();
  // Waits longer than the limit, to report how long they took.
  await until(
    () => clients.losses >= losses + clients.size && clients.open === clients.size,
    'all are open again',
    3 * BACK_MS,
  ).finally(() => {
    backAtMs = performance.now();
  });
  await loading;
  const last = sent - 1;
  await until(() => clients.leastGot === sent, 'all have the last message', BACK_MS);
  const processor = await processors.stop();
  // State is conflated: wait for two more ticks.
  await elapsed(2_000);
  const members = await clients.members();
  const tookMs = backAtMs - lostMs;
  const visits = visitsSince(members, lostAtMs);
  seen(which, {
    clients: members.length,
    'all back after s': tookMs / 1_000,
    attempts: visits.all,
    'most of one client': visits.most,
    'by second': visits.bySecond.join(' '),
    'fullest second %': visits.fullestSecond * 100,
    'other shards, busiest second: % of a processor': processor * 100,
  });

  const all = Array.from({ length: sent }, (_, i) => i);
  const state = Object.fromEntries(
    Array.from({ length: Math.min(sent, KEYS) }, (_, back) => [`k${(last - back) % KEYS}`, last - back]),
  );
  for (const member of members) {
    expect(member.got).toEqual(all);
    expect(member.gaps).toBe(0);
    expect(member.state).toEqual(state);
  }
  expect(tookMs).toBeLessThan(BACK_MS);
  expect(visits.most).toBeLessThanOrEqual(2);
  expect(visits.fullestSecond).toBeLessThan(FULLEST_SECOND);
  expect(processor).toBeLessThan(MOST_PROCESSOR);
  expectSound(cluster.running);
}

it('kill -9 of a shard that has all clients (case F3)', async () => {
  const doomed = await cluster.shard('desktop', 'desktop-0');
  const clients = await crowd(cluster.routerUrl, CLIENTS);
  expect(await metric(doomed, 'weir_shard_connections')).toBe(CLIENTS);
  const others = [
    await cluster.shard('desktop', 'desktop-1'),
    await cluster.shard('desktop', 'desktop-2'),
    await cluster.shard('mobile', 'mobile-1'),
  ];
  await survived('F3, kill -9 of a shard', clients, others, async () => {
    await end(doomed.process, 'SIGKILL');
  });
}, 300_000);

it('a proxy in front of everything is reloaded: it cuts all connections without a Close (case F3)', async () => {
  const ports = await Promise.all(Array.from({ length: 3 }, () => freePort()));
  const proxies = await Proxies.start([Number(new URL(cluster.routerUrl).port), ...ports.map(Number)]);
  closers.push(() => proxies.stop());
  const [front = '', ...urls] = proxies.urls;
  const shards: Service[] = [];
  for (const [i, port] of ports.entries()) {
    const pool = i < 2 ? 'desktop' : 'mobile';
    const env = { WEIR_PORT: port, WEIR_PUBLIC_URL: urls[i] ?? '', WEIR_ROUTER_URL: front };
    shards.push(await cluster.shard(pool, `${pool}-${i}`, env));
  }
  const clients = await crowd(front, scale(60, CLIENTS));
  await survived('F3, proxy reload', clients, shards, async () => proxies.cut());
}, 300_000);

it.each<[Exclude<Accepts, 'at once'>, number]>([
  ['one after the other', scale(30, 150)],
  ...scale<['side by side', number][]>([], [['side by side', 3_000]]),
])(
  'a router that takes 100 ms for each accept, %s (case F3)',
  async (how, size) => {
    const doomed = await cluster.shard('desktop', 'desktop-0');
    const proxies = await Proxies.start([Number(new URL(cluster.routerUrl).port)]);
    closers.push(() => proxies.stop());
    const clients = await crowd(proxies.urls[0] ?? '', size);
    const others = [await cluster.shard('desktop', 'desktop-1'), await cluster.shard('desktop', 'desktop-2')];
    proxies.accept(how);
    await survived(`F3, 100 ms for each accept, ${how}`, clients, others, async () => {
      await end(doomed.process, 'SIGKILL');
    });
  },
  300_000,
);
