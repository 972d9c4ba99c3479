// SIGKILL of a shard under load with 200 clients: all come back elsewhere by themselves, with all that they missed.
import { once } from 'node:events';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Service } from '../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../harness/small-cluster.ts';

const CLIENTS = 200;
const KEYS = 20;

let cluster: SmallCluster;
let nats: NatsConnection;
let doomed: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  await cluster.shard('desktop', 'desktop-1');
  doomed = await cluster.shard('desktop', 'desktop-2');
  await cluster.shard('mobile', 'mobile-1');
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1 });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

it('is survived: no critical message lost or doubled, newest state everywhere (case F3)', async () => {
  const clients = Array.from({ length: CLIENTS }, () => {
    const weir = connect({ url: cluster.routerUrl, channels: ['load'], WebSocket });
    const channel = weir.channel('load');
    const got: number[] = [];
    const gaps: unknown[] = [];
    channel.on('critical', ({ data }) => got.push(Number(data)));
    channel.on('gap', (gap) => gaps.push(gap));
    return { weir, channel, got, gaps };
  });
  await until(() => clients.every(({ weir }) => weir.status === 'open'), 'all are open', 30_000);
  const victims = await metric(doomed, 'weir_shard_connections');
  expect(victims).toBeGreaterThan(CLIENTS / 10);

  let sent = 0;
  const publish = async (): Promise<void> => {
    nats.publish(`weir.state.load.k${sent % KEYS}`, String(sent));
    await jetstream(nats).publish('weir.critical.load', String(sent));
    sent++;
  };
  for (let i = 0; i < 50; i++) await publish();
  doomed.process.kill('SIGKILL');
  await once(doomed.process, 'exit');
  const killedMs = performance.now();
  const openAgain = until(
    () => clients.every(({ weir }) => weir.status === 'open'),
    'all are open again',
    30_000,
  ).then(() => performance.now() - killedMs);
  let isOver = false;
  openAgain.finally(() => {
    isOver = true;
  });
  // The load goes on while they come back.
  while (!isOver || sent < 200) {
    await publish();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await openAgain).toBeLessThan(30_000);

  const all = Array.from({ length: sent }, (_, i) => i);
  const state = Object.fromEntries(
    Array.from({ length: KEYS }, (_, back) => [`k${(sent - 1 - back) % KEYS}`, sent - 1 - back]),
  );
  await until(() => clients.every(({ got }) => got.at(-1) === sent - 1), 'all have the last message');
  await until(
    () => clients.every(({ channel }) => channel.state.get(`k${(sent - 1) % KEYS}`) === sent - 1),
    'all have the newest state',
  );
  for (const { got, gaps, channel, weir } of clients) {
    expect(got).toEqual(all);
    expect(gaps).toEqual([]);
    expect(Object.fromEntries(channel.state)).toEqual(state);
    weir.close();
  }
}, 90_000);
