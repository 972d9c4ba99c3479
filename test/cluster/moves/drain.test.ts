// A shard's last messages arrive before it ends: `move`, everything published before, then 4012 for clients that stay.
import { once } from 'node:events';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askRouter, BareClient } from '../../harness/bare-client.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';
import { streamUrl } from '../../harness/stream-url.ts';

let cluster: SmallCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1 });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

it('all 200 get move, every message and 4012, whatever else waits for them (cases D6, G1)', async () => {
  const shard = await cluster.shard('desktop', 'leaving', {
    WEIR_DRAIN_GRACE_MS: '100',
    WEIR_DRAIN_WITHIN_MS: '1500',
  });
  const clients: BareClient[] = [];
  const leaving = { pool: 'desktop', shard: 'leaving', url: shard.url, channels: ['last'] };
  for (let i = 0; i < 200; i++)
    clients.push(BareClient.open(await streamUrl(cluster, { ...leaving, tls: i % 2 === 1 })));
  await until(() => clients.every((client) => client.of('state').length > 0), 'all are served');
  shard.process.kill('SIGTERM');
  const ended = once(shard.process, 'exit');
  let sent = 0;
  while (clients.some(({ closed }) => closed === undefined)) {
    // State and critical messages go out during the drain.
    nats.publish('weir.state.last.k', JSON.stringify('x'.repeat(2_000) + sent));
    await jetstream(nats).publish('weir.critical.last', String(sent++));
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (sent > 4_000) throw new Error('they are not closed');
  }
  expect((await ended)[0]).toBe(0);
  for (const [i, client] of clients.entries()) {
    expect(client.closed).toBe(4012);
    const moves = client.of('move');
    expect(moves).toHaveLength(1);
    const { url, reason } = moves[0]?.message ?? {};
    expect(reason).toBe('drain');
    // The router's address comes from configuration, the scheme from the client's own connection.
    const wanted = i % 2 === 1 ? cluster.routerUrl.replace('ws:', 'wss:') : cluster.routerUrl;
    expect(String(url).startsWith(`${wanted}/v1/connect?channels=last&hint=`)).toBe(true);
    const got = client.of('critical').map(({ message }) => Number(message['data']));
    expect(got).toEqual(Array.from({ length: got.length }, (_, n) => n));
    expect(got.length).toBeGreaterThan(10);
  }

  // The URL of a move leads to another shard without a measurement.
  await cluster.shard('desktop', 'staying');
  const url = String(clients[0]?.of('move')[0]?.message['url']);
  const redirect = await askRouter(url);
  expect(redirect['pool']).toBe('desktop');
  expect(redirect['rttMs']).toBeUndefined();
});
