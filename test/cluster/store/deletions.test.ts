// Keys that come and go: deleted keys take no room from live ones, neither in a shard that ran all the time nor in a
// new one.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { end } from '../../harness/end.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const MAX_KEYS = 300;
/** How often shards check the streams. */
const VERIFY_MS = 1_000;
const env = { WEIR_STATE_MAX_KEYS: `${MAX_KEYS}`, WEIR_STATE_DELETION_MS: '1000' };

let cluster: SmallCluster;
let nats: NatsConnection;
let old: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  old = await cluster.shard('desktop', 'desktop-1', env);
  nats = await connectNats({ servers: cluster.nats.url });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

const refused = (shard: Service): Promise<number> =>
  metric(shard, 'weir_shard_intake_rejected_total{lane="state",reason="stateFull"}');

/** Creates `count` keys and deletes them; resolves when the last deletion is acknowledged. */
async function comeAndGo(name: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) nats.publish(`weir.state.busy.${name}-${i}`, '1');
  for (let i = 1; i < count; i++) nats.publish(`weir.state.busy.${name}-${i}`, '');
  await jetstream(nats).publish(`weir.state.busy.${name}-0`, '');
}

it('a value has room in every shard, however many keys were deleted before it', async () => {
  const early = await BareClient.connect(cluster.routerUrl, 'channels=busy');
  await until(() => early.position !== undefined, 'a position from before all deletions');
  early.close();
  for (let round = 0; round < 4; round++) await comeAndGo(`r${round}`, 150);
  await jetstream(nats).publish('weir.state.busy.live', '1');
  const fresh = await cluster.shard('desktop', 'desktop-2', env);
  await until(async () => (await metric(old, 'weir_shard_state_keys')) === 1, 'the old shard has the value');
  expect(await metric(fresh, 'weir_shard_state_keys')).toBe(1);
  expect([await refused(old), await refused(fresh)]).toEqual([0, 0]);
  for (const shard of [old, fresh]) {
    const remembered = await metric(shard, 'weir_shard_state_deletions');
    expect(remembered).toBeLessThan(MAX_KEYS);
  }
  for (let i = 0; i < 4; i++) {
    const resume = i % 2 === 0 ? undefined : early.position;
    const client = await BareClient.connect(cluster.routerUrl, 'channels=busy', resume);
    await until(() => client.has('busy'), 'a snapshot, also from a position before forgotten deletions');
    expect(Object.fromEntries(client.state)).toEqual({ live: '1' });
    client.close();
  }
});

it('old deletions leave the stream; no shard reloads, and clients that resume still get them', async () => {
  await jetstream(nats).publish('weir.state.tidy.gone', '1');
  await jetstream(nats).publish('weir.state.tidy.kept', '1');
  const clients = await Promise.all(
    [1, 2, 3, 4].map(() => BareClient.connect(cluster.routerUrl, 'channels=tidy')),
  );
  await until(
    () => clients.every((one) => one.state.size === 2 && one.position !== undefined),
    'all have both',
  );
  const early = clients[0]?.position;
  await comeAndGo('again', 150);
  await jetstream(nats).publish('weir.state.tidy.gone', '');
  await jetstream(nats).publish('weir.state.tidy.kept', '2');

  const control = await cluster.control({ WEIR_CLEAN_UP_AFTER_MS: '1000', WEIR_CLEAN_UP_PER_SECOND: '500' });
  const streams = (await jetstreamManager(nats)).streams;
  // Left: a key of this test, one of the previous test, and the mark of the clean-up.
  const messages = async (): Promise<number> => (await streams.info('WEIR_STATE')).state.messages;
  await until(async () => (await messages()) === 3, 'the deletions are gone');
  expect(await metric(control, 'weir_control_deletions_removed_total')).toBeGreaterThan(700);
  await jetstream(nats).publish('weir.state.tidy.kept', '3');
  await until(() => clients.every((one) => one.state.get('kept') === '3'), 'all have the last value');
  await elapsed(2 * VERIFY_MS);
  for (const shard of cluster.running.filter(({ name }) => name === 'shard')) {
    expect(await metric(shard, 'weir_shard_intake_problems_total{stream="state",problem="epoch"}')).toBe(0);
    expect(await metric(shard, 'weir_shard_intake_rejected_total{lane="state",reason="subject"}')).toBe(0);
    await end(shard.process, 'SIGKILL');
  }
  for (const one of clients) {
    expect(Object.fromEntries(one.state)).toEqual({ kept: '3' });
    expect(one.of('state').filter(({ message }) => message['snapshot'] === true)).toHaveLength(1);
  }

  await cluster.shard('desktop', 'desktop-3', env);
  const late = await BareClient.connect(cluster.routerUrl, 'channels=tidy', early);
  await until(() => late.has('tidy'), 'a snapshot: this shard cannot know what was deleted since');
  expect(Object.fromEntries(late.state)).toEqual({ kept: '3' });
  expect(late.of('state')[0]?.message['snapshot']).toBe(true);
  late.close();
});
