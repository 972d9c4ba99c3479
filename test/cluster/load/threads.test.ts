// A shard whose fan-out threads are blocked for a while (case E2), get stuck, or die.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';
import type { ThreadOrder } from '../../harness/thread-orders.ts';
import { obedient, orderThread } from '../../harness/thread-orders.ts';

const THREADS = 3;
const CLIENTS = 150;

let cluster: SmallCluster;
let shard: Service;
let nats: NatsConnection;
let clients: BareClient[] = [];
let feed: NodeJS.Timeout;
let sent = 0;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('desktop', 'desktop-1', {
    WEIR_THREADS: String(THREADS),
    WEIR_THREAD_STUCK_MS: '4000',
    WEIR_TICK_MS: '50',
    WEIR_LOG_LEVEL: 'fatal',
    ...obedient,
  });
  nats = await connectNats({ servers: cluster.nats.url });
  feed = setInterval(() => {
    nats.publish('weir.state.lobby.n', String(++sent));
    nats.publish('weir.critical.lobby', String(sent));
    nats.publish('weir.cosmetic.lobby', String(sent));
  }, 20);
  for (let i = 0; i < CLIENTS; i += 10) {
    clients.push(
      ...(await Promise.all(
        Array.from({ length: 10 }, () => BareClient.connect(cluster.routerUrl, 'channels=lobby')),
      )),
    );
  }
  await until(() => clients.every(({ ids }) => ids.length > 3), 'all are served');
});

afterAll(async () => {
  clearInterval(feed);
  for (const client of clients) client.close();
  await nats.close();
  await cluster.stop();
});

const open = (): readonly BareClient[] => clients.filter(({ closed }) => closed === undefined);

/** Fails unless the client has every critical message from its first to its last, once and in order. */
function expectComplete(client: BareClient): void {
  const ids = client.ids;
  expect(ids).toEqual(Array.from(ids, (_, i) => (ids[0] ?? 0) + i));
}

async function allUpToDate(): Promise<void> {
  const from = sent;
  await until(() => open().every(({ state }) => Number(state.get('n')) > from), 'all have what is new');
}

describe('a thread that is blocked for a while (case E2)', () => {
  it('is waited for: ticks merge, each thread has at most one hand-over outstanding, other clients are not late', async () => {
    const merged = await metric(shard, 'weir_shard_merged_ticks_total');
    orderThread(shard, { thread: 0, order: 'block', ms: 1_500 });
    let most = 0;
    await until(async () => {
      most = Math.max(most, await metric(shard, 'weir_shard_hand_overs_outstanding'));
      return (await metric(shard, 'weir_shard_merged_ticks_total')) > merged + 10;
    }, 'ticks have merged');
    expect(most).toBeLessThanOrEqual(THREADS);
    await allUpToDate();
    expect(open()).toHaveLength(CLIENTS);
    for (const client of clients) expectComplete(client);
    expect(await metric(shard, 'weir_shard_thread_deaths_total')).toBe(0);
  });
});

describe('a thread', () => {
  it.each<[string, ThreadOrder]>([
    ['that dies', { thread: 1, order: 'die' }],
    ['that gets stuck', { thread: 2, order: 'block', ms: 30_000 }],
  ])('%s loses its own clients only, and is replaced', async (_name, order) => {
    const before = open();
    const deaths = await metric(shard, 'weir_shard_thread_deaths_total');
    const sentBefore = await metric(shard, 'weir_shard_state_sent_total');
    orderThread(shard, order);
    await until(
      async () => (await metric(shard, 'weir_shard_thread_deaths_total')) === deaths + 1,
      'its death is counted',
    );
    await until(async () => (await metric(shard, 'weir_shard_threads')) === THREADS, 'it is replaced');
    await until(
      async () => (await metric(shard, 'weir_shard_connections')) === open().length,
      'its clients are gone',
    );
    const left = open();
    expect(left.length).toBeLessThan(before.length);
    expect(left.length).toBeGreaterThan(0);
    expect((await fetch(`${shard.admin}/readyz`)).ok).toBe(true);
    // Counters survive the thread.
    expect(await metric(shard, 'weir_shard_state_sent_total')).toBeGreaterThan(sentBefore);

    const lost = before.filter(({ closed }) => closed !== undefined);
    const back = await Promise.all(
      lost.map(({ position }) => BareClient.connect(cluster.routerUrl, 'channels=lobby', position)),
    );
    await until(() => back.every(({ ids }) => ids.length > 0), 'those who come back are served');
    for (const client of back) expect(client.of('welcome')[0]?.message['resumed']).toBe(true);
    for (const [i, client] of back.entries()) {
      const ids = [...new Set([...(lost[i]?.ids ?? []), ...client.ids])].sort((a, b) => a - b);
      expect(ids).toEqual(Array.from(ids, (_, at) => (ids[0] ?? 0) + at));
    }
    clients = [...left, ...back];
    await allUpToDate();
    for (const client of clients) expectComplete(client);
  });
});
