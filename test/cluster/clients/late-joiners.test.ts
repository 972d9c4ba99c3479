// Late clients ask for the newest earlier critical messages: by the stream URL, by a message, and with the SDK. They
// get each once and in order, also while others are published.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askRouter, BareClient } from '../../harness/bare-client.ts';
import { expectSound } from '../../harness/oracle.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const MOST = 20;
const BEFORE = 30;

let cluster: SmallCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  await cluster.shard('desktop', 'desktop-1', { WEIR_CRITICAL_LAST_MAX: String(MOST) });
  nats = await connectNats({ servers: cluster.nats.url });
  const witness = await BareClient.connect(cluster.routerUrl, 'channels=goals,others');
  await until(() => witness.position !== undefined, 'it is served');
  for (let n = 1; n <= BEFORE; n++) {
    nats.publish('weir.critical.goals', String(n));
    nats.publish('weir.critical.others', String(n));
  }
  await until(() => witness.ids.length === 2 * BEFORE, 'all are there');
  witness.close();
});

afterAll(async () => {
  expectSound(cluster.running);
  await nats.close();
  await cluster.stop();
});

/** The newest `count` numbers published earlier. */
const newest = (count: number): number[] => Array.from({ length: count }, (_, i) => BEFORE - count + i + 1);

const goals = (client: BareClient, channel = 'goals'): readonly unknown[] =>
  client
    .of('critical')
    .filter(({ message }) => message['channel'] === channel)
    .map(({ message }) => message['data']);

async function opened(query: string, channels = 'goals'): Promise<BareClient> {
  const redirect = await askRouter(`${cluster.routerUrl}/v1/connect?channels=${channels}`);
  const client = BareClient.open(String(redirect['url']) + query, redirect);
  await until(() => client.served, 'it is served');
  return client;
}

it.each([
  ['&last=5', 5],
  ['&last=20', MOST],
  ['&last=999999', MOST],
  ['&last=0', 0],
  ['&last=-1', 0],
  ['&last=x', 0],
  ['', 0],
])('a stream opened with "%s" begins with the newest %d', async (query, count) => {
  const client = await opened(query);
  expect(goals(client)).toEqual(newest(count));
  expect(client.of('gap')).toEqual([]);
  expect(client.of('welcome')[0]?.message['lastMax']).toBe(MOST);
  client.close();
});

it('a client that resumes gets the messages it missed, and the newest of new channels', async () => {
  const first = await opened('');
  const { position } = first;
  first.close();
  const second = await opened(`&resume=${position}&last=5`, 'goals,others');
  expect([goals(second), goals(second, 'others')]).toEqual([[], newest(5)]);
  second.close();
});

it('a subscription can ask for them, and other channels continue', async () => {
  const client = await opened('');
  client.ws.send(JSON.stringify({ type: 'subscribe', channels: ['others'], last: 7 }));
  await until(() => goals(client, 'others').length === 7, 'they are there');
  expect(goals(client, 'others')).toEqual(newest(7));
  expect(goals(client)).toEqual([]);
  client.ws.send(JSON.stringify({ type: 'unsubscribe', channels: ['others'], last: 7 }));
  await until(() => client.closed === 4501, 'that is no message');
});

it('the SDK emits them once and in order, also while others are published, and through a reconnect', async () => {
  const weir = connect({
    url: cluster.routerUrl,
    channels: ['goals'],
    critical: { last: 10 },
    reconnect: { spreadMs: 0 },
  });
  const told: unknown[] = [];
  for (const name of ['goals', 'others']) {
    weir.channel(name).on('critical', ({ data }) => told.push(`${name} ${data}`));
    weir.channel(name).on('gap', (event) => told.push(event));
  }
  const expected = newest(10).map((n) => `goals ${n}`);
  await until(() => told.length === 10, 'the newest ten');
  expect(told).toEqual(expected);
  weir.channel('others').subscribe();
  await until(() => told.length === 20, 'ten of the other channel');
  expected.push(...newest(10).map((n) => `others ${n}`));
  nats.publish('weir.critical.goals', String(BEFORE + 1));
  expected.push(`goals ${BEFORE + 1}`);
  await until(() => told.length === expected.length, 'one more');
  weir.pause();
  nats.publish('weir.critical.others', String(BEFORE + 1));
  expected.push(`others ${BEFORE + 1}`);
  weir.resume();
  await until(() => told.length === expected.length, 'what was published in the pause');
  expect(told).toEqual(expected);
  weir.close();
});
