// Messages that vanish from the state stream silently, by a purge, an expiry or an invalid message in their place: old
// shards, new shards and returning clients show the same.
import type { JetStreamManager } from '@nats-io/jetstream';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { end } from '../../harness/end.ts';
import { streamState } from '../../harness/same-state.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let nats: NatsConnection;
let manager: JetStreamManager;
let old: Service;

beforeEach(async () => {
  cluster = await SmallCluster.start();
  old = await cluster.shard('desktop', 'old');
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  manager = await jetstreamManager(nats);
});

afterEach(async () => {
  await nats.close();
  await cluster.stop();
});

async function publish(key: string, json: string): Promise<void> {
  await jetstream(nats).publish(`weir.state.lobby.${key}`, json);
}

const purge = (filter: string): Promise<unknown> => manager.streams.purge('WEIR_STATE', { filter });

/** The channel's content in the stream, without deletions. */
async function inStream(): Promise<Record<string, string>> {
  return Object.fromEntries((await streamState(nats)).get('lobby') ?? []);
}

/** The values of a client by key. */
const shown = (client: BareClient): Record<string, string> => Object.fromEntries(client.state);

/** One client on each shard. */
async function onEach(shards: readonly string[], resume?: string): Promise<ReadonlyMap<string, BareClient>> {
  const clients = new Map<string, BareClient>();
  while (clients.size < shards.length) {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=lobby', resume);
    await until(() => client.position !== undefined, 'a client is served');
    const shard = String(client.of('welcome')[0]?.message['shard']);
    if (clients.has(shard)) client.close();
    else clients.set(shard, client);
  }
  return clients;
}

async function keys(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await publish(`k${i}`, `${i}`);
}

it('a purged key vanishes everywhere, even if another key came at the same moment', async () => {
  await keys(20);
  const early = (await onEach(['old'])).get('old') as BareClient;
  await until(() => early.state.size === 20, 'all keys are shown');
  // The shards have counted the messages since.
  await elapsed(1_500);
  const { position } = early;
  await purge('weir.state.lobby.k3');
  await publish('new', '1');
  await cluster.shard('desktop', 'fresh');
  const expected = await inStream();
  expect(Object.keys(expected)).toHaveLength(20);
  await until(() => !early.state.has('k3'), 'the old shard tells that the key is gone');
  const late = await onEach(['old', 'fresh']);
  const back = await onEach(['old', 'fresh'], position);
  for (const client of [early, ...late.values()]) expect(shown(client)).toEqual(expected);
  // A returning client gets the changes: the new key and the deleted one.
  for (const client of back.values()) {
    await until(() => client.of('state').length > 0, 'the changes');
    expect(client.of('state').flatMap(({ message }) => message['del'])).toContain('k3');
  }
});

it('keys that expire vanish everywhere, and positions from before do not hide that', async () => {
  const { config } = await manager.streams.info('WEIR_STATE');
  await manager.streams.update('WEIR_STATE', {
    ...config,
    max_age: 3_000_000_000,
    duplicate_window: 1_000_000_000,
  });
  await keys(25);
  const early = (await onEach(['old'])).get('old') as BareClient;
  await until(() => early.state.size === 25, 'all keys are shown');
  const { position } = early;
  await until(() => early.state.size === 0, 'the old shard tells that they are gone', 20_000);
  await publish('new', '1');
  await cluster.shard('desktop', 'fresh');
  const late = await onEach(['old', 'fresh'], position);
  for (const client of late.values()) await until(() => client.state.size === 1, 'the new key is shown');
  expect(await metric(old, 'weir_shard_intake_problems_total{stream="state",problem="epoch"}')).toBe(0);
});

it('a key keeps its last valid value, also in shards that start later', async () => {
  await keys(3);
  const early = (await onEach(['old'])).get('old') as BareClient;
  await until(() => early.state.size === 3, 'all keys are shown');
  await publish('k1', '{broken');
  await publish('k2', '{broken');
  await publish('k2', '7');
  await until(async () => (await inStreamRaw('k1')) === '1', 'the stream has the last valid value again');
  await cluster.shard('desktop', 'fresh');
  const late = await onEach(['old', 'fresh']);
  for (const client of [early, ...late.values()]) {
    await until(() => client.state.get('k2') === '7', 'the newest value');
    expect(shown(client)).toEqual({ k0: '0', k1: '1', k2: '7' });
  }
});

it('a deleted key stays deleted, even if NATS brings it back after a kill', async () => {
  await keys(5);
  const early = (await onEach(['old'])).get('old') as BareClient;
  await until(() => early.state.size === 5, 'all keys are shown');
  await publish('k1', '');
  const control = await cluster.control({ WEIR_CLEAN_UP_AFTER_MS: '1000', WEIR_CLEAN_UP_PER_SECOND: '500' });
  await until(async () => (await inStreamRaw('k1')) === undefined, 'control has removed the deletion');
  // Control would also remove the next deletion.
  await end(control.process, 'SIGKILL');
  await publish('k2', '7');
  await cluster.nats.kill('SIGKILL');
  await cluster.nats.restart();
  // A server that rebuilds its store from its blocks has the value before the deletion again; not every one has to.
  await until(
    async () => ['', undefined].includes(await inStreamRaw('k1').catch(() => 'nobody answers')),
    'a shard has deleted it again, or NATS has not brought it back',
  );
  await cluster.shard('desktop', 'fresh');
  const late = await onEach(['old', 'fresh']);
  for (const client of [early, ...late.values()]) {
    await until(() => client.state.get('k2') === '7', 'the newest value');
    expect(shown(client)).toEqual({ k0: '0', k2: '7', k3: '3', k4: '4' });
  }
  expect(await metric(old, 'weir_shard_intake_problems_total{stream="state",problem="epoch"}')).toBe(0);
});

async function inStreamRaw(key: string): Promise<string | undefined> {
  const message = await manager.direct.getMessage('WEIR_STATE', { last_by_subj: `weir.state.lobby.${key}` });
  return message?.string();
}
