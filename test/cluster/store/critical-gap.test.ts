// After the retention window of critical messages, a returning client gets a gap, and then the messages that are left.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { end } from '../../harness/end.ts';
import { Gate } from '../../harness/gate.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const WINDOW = { WEIR_CRITICAL_MAX_PER_CHANNEL: '5' };

let cluster: SmallCluster;
let nats: NatsConnection;
let shard: Service;

async function start(window: Readonly<Record<string, string>>): Promise<void> {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('desktop', 'desktop-1', window);
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1 });
}

async function stop(): Promise<void> {
  await nats.close();
  await cluster.stop();
}

async function publish(channel: string, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await jetstream(nats).publish(`weir.critical.${channel}`, String(i));
}

/** A client that got message 0 and has left, with a position that covers it. */
async function gone(channel: string): Promise<{ id: number; position: string }> {
  const client = await BareClient.connect(cluster.routerUrl, `channels=${channel}`);
  await until(() => client.of('state').length > 0, 'the client is served');
  await publish(channel, 0, 1);
  await until(() => client.ids.length === 1, 'the first message');
  const id = client.ids[0] ?? 0;
  await until(() => client.position?.split('.')[4] === id.toString(36), 'a position that contains it');
  client.close();
  return { id, position: client.position ?? '' };
}

const data = (client: BareClient): readonly unknown[] =>
  client.of('critical').map(({ message }) => message['data']);

describe('a client that returns', () => {
  beforeAll(() => start(WINDOW));
  afterAll(stop);

  it('within the window gets all messages and no gap', async () => {
    const { position } = await gone('within');
    await publish('within', 1, 6);
    const client = await BareClient.connect(cluster.routerUrl, 'channels=within', position);
    await until(() => client.ids.length === 5, 'what it missed');
    expect(data(client)).toEqual([1, 2, 3, 4, 5]);
    expect(client.of('gap')).toEqual([]);
    expect(client.of('welcome')[0]?.message['resumed']).toBe(true);
    client.close();
  });

  it('after more messages than are kept gets a gap first, then the messages that are left', async () => {
    const { id, position } = await gone('many');
    await publish('many', 1, 31);
    const client = await BareClient.connect(cluster.routerUrl, 'channels=many', position);
    await until(() => client.ids.length === 5, 'what is left');
    expect(client.of('welcome')[0]?.message['resumed']).toBe(false);
    expect(client.of('gap').map(({ message }) => message)).toEqual([
      { type: 'gap', channel: 'many', lane: 'critical', after: id },
    ]);
    expect(client.frames.findIndex(({ message }) => message['type'] === 'gap')).toBeLessThan(
      client.frames.findIndex(({ message }) => message['type'] === 'critical'),
    );
    expect(data(client)).toEqual([26, 27, 28, 29, 30]);
    expect(
      await metric(shard, 'weir_shard_critical_dropped_total{limit="perChannel"}'),
    ).toBeGreaterThanOrEqual(26);
    await publish('many', 31, 32);
    await until(() => client.ids.length === 6, 'what comes next');
    expect(data(client).at(-1)).toBe(31);
    client.close();
  });

  it('to a shard that has started since gets the same', async () => {
    const { id, position } = await gone('fresh');
    await publish('fresh', 1, 11);
    const fresh = await cluster.shard('mobile', 'mobile-1', WINDOW);
    const client = await BareClient.connect(cluster.routerUrl, 'channels=fresh&class=mobile', position);
    await until(() => client.ids.length === 5, 'what is left');
    expect(client.of('gap')[0]?.message).toMatchObject({ channel: 'fresh', after: id });
    expect(data(client)).toEqual([6, 7, 8, 9, 10]);
    client.close();
    await end(fresh.process, 'SIGKILL');
  });

  it('with the SDK: the application sees the gap between the messages, and nothing twice', async () => {
    const weir = connect({ url: cluster.routerUrl, channels: ['app'], WebSocket });
    const seen: unknown[] = [];
    weir.channel('app').on('critical', ({ data: value }) => seen.push(value));
    weir.channel('app').on('gap', () => seen.push('gap'));
    await until(() => weir.status === 'open', 'the SDK is served');
    await publish('app', 0, 1);
    await until(() => seen.length === 1, 'the first message');
    await until(async () => (await metric(shard, 'weir_shard_connections')) === 1, 'it is alone');
    const { port } = new URL(shard.url);
    const replacement = { ...WINDOW, WEIR_PORT: port, WEIR_SHARD_ID: 'desktop-1' };
    await end(shard.process, 'SIGKILL');
    await until(() => weir.status !== 'open', 'the SDK has noticed');
    await publish('app', 1, 21);
    shard = await cluster.startShard('desktop', 'desktop-1', replacement);
    await until(() => seen.at(-1) === 20, 'the SDK has the last message', 40_000);
    expect(seen).toEqual([0, 'gap', 16, 17, 18, 19, 20]);
    weir.close();
  });
});

describe('a client that returns after the retention time', () => {
  beforeAll(() => start({ WEIR_CRITICAL_MAX_AGE_MS: '3000' }));
  afterAll(stop);

  it('gets a gap, even if no message is left', async () => {
    const { id, position } = await gone('old');
    await publish('old', 1, 3);
    await until(
      async () => (await (await jetstreamManager(nats)).streams.info('WEIR_CRITICAL')).state.messages === 0,
      'the stream has let them go',
    );
    await until(
      async () => (await metric(shard, 'weir_shard_critical_messages')) === 0,
      'the shard has let them go',
    );
    const client = await BareClient.connect(cluster.routerUrl, 'channels=old', position);
    await until(() => client.of('position').length > 0, 'the client is served');
    expect(client.of('gap')[0]?.message).toMatchObject({ channel: 'old', after: id });
    expect(data(client)).toEqual([]);
    await publish('old', 3, 4);
    await until(() => client.ids.length === 1, 'what comes next');
    client.close();
  });
});

describe('a shard that could not read the stream', () => {
  const told = (client: BareClient, channel: string): readonly unknown[] =>
    client.frames
      .filter(
        ({ message: { type, channel: of } }) => of === channel && (type === 'critical' || type === 'gap'),
      )
      .map(({ message: { type, data: value } }) => (type === 'gap' ? 'gap' : value));
  let gate: Gate;

  beforeAll(async () => {
    await start(WINDOW);
    gate = await Gate.to(Number(new URL(cluster.nats.url).port));
    await cluster.shard('mobile', 'mobile-1', { ...WINDOW, WEIR_NATS_URL: `nats://127.0.0.1:${gate.port}` });
  });
  afterAll(async () => {
    await gate.shut();
    await stop();
  });
  // While the router takes the shard behind the gate for a stale one, it sends its clients elsewhere.
  beforeEach(() =>
    until(
      async () =>
        (await metric(cluster.router, 'weir_router_roster_shards{pool="mobile",state="serving"}')) === 1,
      'the router knows that the shard is fresh',
    ),
  );

  it('tells its clients a gap where the stream had let messages go meanwhile', async () => {
    await publish('older', 0, 1);
    const client = await BareClient.connect(cluster.routerUrl, 'channels=hot,quiet,older&class=mobile');
    await until(() => client.of('position').length > 0, 'the client is served');
    await publish('hot', 0, 1);
    await until(() => told(client, 'hot').length === 1, 'the first message');
    await gate.shut();
    await publish('hot', 1, 20);
    await publish('quiet', 0, 2);
    await gate.open();
    await until(
      () => told(client, 'quiet').length === 2 && told(client, 'hot').at(-1) === 19,
      'everything that is left',
    );
    expect(told(client, 'hot')).toEqual([0, 'gap', 15, 16, 17, 18, 19]);
    // These channels are not full: what is missing in the stream was not theirs.
    expect([told(client, 'quiet'), told(client, 'older')]).toEqual([[0, 1], []]);
    await publish('hot', 20, 21);
    await until(() => told(client, 'hot').at(-1) === 20, 'what comes next');
    client.close();
  });

  it('tells them a gap where messages of a channel were purged, and others gave way to later ones of their own', async () => {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=calm,hotter,swept&class=mobile');
    await until(() => client.of('position').length > 0, 'the client is served');
    for (const channel of ['calm', 'hotter', 'swept']) await publish(channel, 0, 1);
    await until(() => client.ids.length === 3, 'the first messages');
    await gate.shut();
    await publish('swept', 1, 3);
    await (await jetstreamManager(nats)).streams.purge('WEIR_CRITICAL', { filter: 'weir.critical.swept' });
    await publish('hotter', 1, 20);
    await publish('calm', 1, 2);
    await gate.open();
    // Nothing is said of the order between channels.
    await until(
      () =>
        told(client, 'calm').length === 2 &&
        told(client, 'hotter').at(-1) === 19 &&
        told(client, 'swept').length === 2,
      'everything that is left',
    );
    expect(told(client, 'hotter')).toEqual([0, 'gap', 15, 16, 17, 18, 19]);
    expect([told(client, 'swept'), told(client, 'calm')]).toEqual([
      [0, 'gap'],
      [0, 1],
    ]);
    client.close();
  });

  it('tells them a gap where messages were purged before it read them', async () => {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=purged,other&class=mobile');
    await until(() => client.of('position').length > 0, 'the client is served');
    await publish('other', 0, 1);
    await until(() => told(client, 'other').length === 1, 'the first message');
    await gate.shut();
    await publish('purged', 0, 3);
    await (await jetstreamManager(nats)).streams.purge('WEIR_CRITICAL', { filter: 'weir.critical.purged' });
    await gate.open();
    await until(() => told(client, 'purged').length > 0, 'the gap');
    expect(told(client, 'purged')).toEqual(['gap']);
    client.close();
  });
});

describe('a channel that is purged', () => {
  beforeAll(() => start({}));
  afterAll(stop);

  it('is a gap on a shard that has started since, which gives what the stream has of other channels', async () => {
    const { id, position } = await gone('purged');
    await publish('purged', 1, 3);
    await publish('other', 0, 1);
    await (await jetstreamManager(nats)).streams.purge('WEIR_CRITICAL', { filter: 'weir.critical.purged' });
    await publish('purged', 3, 4);
    await cluster.shard('mobile', 'mobile-1');
    const client = await BareClient.connect(cluster.routerUrl, 'channels=purged&class=mobile', position);
    await until(() => client.ids.length === 1, 'what is left');
    expect(client.of('gap')[0]?.message).toMatchObject({ channel: 'purged', after: id });
    expect(data(client)).toEqual([3]);
    const other = await BareClient.connect(cluster.routerUrl, 'channels=other&class=mobile&last=5');
    await until(() => other.of('position').length > 0, 'the client is served');
    client.close();
    other.close();
  });
});
