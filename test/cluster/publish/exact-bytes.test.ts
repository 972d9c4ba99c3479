// A value reaches clients as the publisher's exact JSON, on every path.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const exact =
  '{"id":9007199254740993,"n":17843232920108168701,"d":1.0,"e":1E2,"z":-0, "s":"\\u00e4\\/é" ,"id":1}';
const inState = `"k":${exact}`;

let cluster: SmallCluster;
let nats: NatsConnection;
let shard: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('desktop', 'desktop-1', { WEIR_SOFT_BYTES: '8192', WEIR_HARD_BYTES: '4MB' });
  nats = await connectNats({ servers: cluster.nats.url });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

const has = (client: BareClient, text: string): boolean =>
  client.frames.some((frame) => frame.text.includes(text));

async function served(channel: string, resume?: string): Promise<BareClient> {
  const client = await BareClient.connect(cluster.routerUrl, `channels=${channel}`, resume);
  await until(() => client.of('position').length > 0, 'the client is served');
  return client;
}

it('in a diff, a snapshot, critical, cosmetic, and after a resume (case A3)', async () => {
  const client = await served('exact');
  await until(() => client.position !== undefined, 'a position');
  nats.publish('weir.state.exact.k', exact);
  await jetstream(nats).publish('weir.critical.exact', exact);
  await until(() => has(client, inState), 'the diff');
  await until(() => has(client, `"data":${exact}}`), 'the critical message');
  // Only connected clients get cosmetic messages: the test repeats them until one arrives.
  await until(() => {
    nats.publish('weir.cosmetic.exact', exact);
    return has(client, `"data":[${exact}`);
  }, 'the cosmetic message');
  const first = client.of('position')[0]?.message['pos'];
  client.close();

  const late = await served('exact');
  expect(late.of('state').find(({ text }) => text.includes(inState))?.message['snapshot']).toBe(true);
  late.close();

  const back = await served('exact', String(first));
  expect(back.of('welcome')[0]?.message['resumed']).toBe(true);
  expect(back.of('state').find(({ text }) => text.includes(inState))?.message['snapshot']).toBeUndefined();
  expect(has(back, `"data":${exact}}`)).toBe(true);
  back.close();
});

it('in the catch-up of a slow client (case A3)', async () => {
  const client = await served('slow');
  const withheld = await metric(shard, 'weir_shard_state_withheld_total');
  client.ws.pause();
  let i = 0;
  await until(async () => {
    nats.publish('weir.state.slow.filler', JSON.stringify('x'.repeat(8_000) + i++));
    nats.publish('weir.state.slow.k', i % 2 === 0 ? exact : 'null');
    return (await metric(shard, 'weir_shard_state_withheld_total')) > withheld + 3;
  }, 'state is withheld');
  nats.publish('weir.state.slow.k', exact);
  nats.publish('weir.state.slow.end', '1');
  await nats.flush();
  client.ws.resume();
  await until(() => client.state.has('end'), 'it has caught up');
  expect(client.of('state').findLast(({ text }) => text.includes('"k":'))?.text).toContain(inState);
  expect(client.of('state').length).toBeLessThan(i);
  client.close();
});
