// The metric that scales pools: distance raises the backlog of a healthy client, but not its awaited bytes.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { ShapingProxy } from '@weir/local';
import { startShapingProxy } from '@weir/local';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';
import { streamUrl } from '../../harness/stream-url.ts';

/** One way: a client on another continent, on a bad day. */
const DELAY_MS = 300;
const VALUE_BYTES = 1_000;
const LOOKS = 100;

let cluster: SmallCluster;
let nats: NatsConnection;
let shard: Service;
let proxy: ShapingProxy;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  nats = await connectNats({ servers: cluster.nats.url });
  shard = await cluster.shard('desktop', 'near');
  const delay = { delayMs: DELAY_MS };
  proxy = await startShapingProxy({
    target: { host: '127.0.0.1', port: Number(new URL(shard.url).port) },
    profile: { down: delay, up: delay },
  });
});

afterAll(async () => {
  await proxy.close();
  await nats.close();
  await cluster.stop();
});

async function farClient(): Promise<BareClient> {
  const near = { pool: 'desktop', shard: 'near', url: shard.url, channels: ['odds'] };
  return BareClient.open(proxy.url(await streamUrl(cluster, near)));
}

let version = 0;
/** Publishes, reads the metrics, and waits until the client may have new data. */
async function look(): Promise<{ readonly backlog: number; readonly awaited: number }> {
  for (const key of ['a', 'b'])
    nats.publish(
      `weir.state.odds.${key}`,
      JSON.stringify({ version: ++version, pad: 'x'.repeat(VALUE_BYTES) }),
    );
  await nats.flush();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    backlog: await metric(shard, 'weir_shard_healthy_backlog_bytes'),
    awaited: await metric(shard, 'weir_shard_awaited_bytes'),
  };
}

it('a healthy far client has a backlog but no awaited bytes; a client that gets nothing more has both (case K7)', async () => {
  const client = await farClient();
  await until(() => client.of('state').length > 0, 'the client is served');
  const known = async (): Promise<boolean> => {
    await look();
    return (await metric(shard, 'weir_shard_pongs_total')) > 2;
  };
  await until(known, 'its distance is known');
  const looks = [];
  for (let i = 0; i < LOOKS; i++) looks.push(await look());
  expect(Math.max(...looks.map(({ backlog }) => backlog))).toBeGreaterThan(10 * VALUE_BYTES);
  expect(Math.max(...looks.map(({ awaited }) => awaited))).toBe(0);

  proxy.pause();
  await until(async () => (await look()).awaited > VALUE_BYTES, 'what it does not get is awaited');
  proxy.resume();
  await until(async () => (await look()).awaited === 0, 'it has caught up');
  expect(client.closed).toBeUndefined();
  client.ws.close();
});
