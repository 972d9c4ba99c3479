// A client whose network changes: the old path goes silently, it resumes elsewhere, and the ghost is cleared away.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../harness/bare-client.ts';
import type { Service } from '../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../harness/small-cluster.ts';

const LAG = { WEIR_LAG_MS: '3000', WEIR_PING_MS: '500', WEIR_IDLE_PING_MS: '1000' };
const ROUNDS = 25;

let cluster: SmallCluster;
let nats: NatsConnection;
let shards: readonly Service[];

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shards = [await cluster.shard('desktop', 'desktop-1', LAG), await cluster.shard('mobile', 'mobile-1', LAG)];
  nats = await connectNats({ servers: cluster.nats.url });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

it('sees each message once over 25 silent losses, and leaves no ghost (case F4)', async () => {
  const seen: number[] = [];
  let lastId = 0;
  const ghosts: BareClient[] = [];
  let client: BareClient | undefined;
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = client;
    // The old path is not closed: from now on nobody reads what comes on it, nor answers.
    before?.ws.pause();
    if (before !== undefined) ghosts.push(before);
    await jetstream(nats).publish('weir.critical.phone', String(sent++));
    client = await BareClient.connect(
      cluster.routerUrl,
      `channels=phone&class=${round % 2 === 0 ? 'desktop' : 'mobile'}`,
      before?.position,
    );
    const current = client;
    await until(() => current.of('position').length > 0, 'it is served');
    expect(current.of('gap')).toEqual([]);
    if (before !== undefined) expect(current.of('welcome')[0]?.message['resumed']).toBe(true);
    await jetstream(nats).publish('weir.critical.phone', String(sent++));
    await until(() => current.of('critical').at(-1)?.message['data'] === sent - 1, 'the newest message');
    // As the protocol says: ids that it has had are dropped.
    for (const { message } of current.of('critical')) {
      const id = Number(message['id']);
      if (id <= lastId) continue;
      lastId = id;
      seen.push(Number(message['data']));
    }
  }
  // The very first message was published before anybody was there.
  expect(seen).toEqual(Array.from({ length: sent - 1 }, (_, i) => i + 1));
  await until(
    async () => {
      const counts = await Promise.all(shards.map((shard) => metric(shard, 'weir_shard_connections')));
      return counts.reduce((sum, count) => sum + count, 0) === 1;
    },
    'only the living one is counted',
    12_000,
  );
  expect(client?.closed).toBeUndefined();
  client?.close();
  for (const ghost of ghosts) ghost.ws.terminate();
}, 60_000);
