// A NATS store that is set back to an earlier copy and overtaken before a shard checks it: lost data vanishes from
// every client, shards do not mistake new data for known data, and positions from before are not trusted.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { end } from '../../harness/end.ts';
import { Gate } from '../../harness/gate.ts';
import { differences, streamState } from '../../harness/same-state.ts';
import { sample, scale } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';
import type { StoreCopy } from '../../harness/store-copy.ts';
import { copyStore } from '../../harness/store-copy.ts';

/** Two channels of this test alone. */
const CHANNELS = ['a', 'b'] as const;
const SHARDS = [
  ['desktop', 'desktop-1'],
  ['mobile', 'mobile-1'],
] as const;
const LOST = 9;
/** Fewer than every shard has read, and more than were lost. */
const MORE = 30;

interface Case {
  readonly name: string;
  /** The subjects (without `weir.`) that message `i` changes, published before or after the copy. */
  readonly lost: (i: number) => readonly string[];
  readonly more: (i: number) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the lane must start anew for all clients: the new messages do not replace everything that was lost. */
  readonly state: boolean;
  readonly critical: boolean;
  /** False if no state was lost. */
  readonly lostState?: boolean;
}

const both = (key: string, channel = 'a'): readonly string[] => [
  `state.${channel}.${key}`,
  `critical.${channel}`,
];

const cases: readonly Case[] = [
  {
    name: 'keys of their own',
    lost: (i) => both(`lost${i}`),
    more: (i) => both(`more${i}`),
    state: true,
    critical: true,
  },
  {
    name: 'hot keys, and one of the lost that went back to an older value',
    lost: (i) => both(i === 4 ? 'old3' : `hot${i % 3}`),
    more: (i) => both(`hot${i % 3}`),
    env: { WEIR_CRITICAL_MAX_PER_CHANNEL: '5' },
    state: true,
    critical: false,
  },
  {
    // The shards delete it, without a new epoch.
    name: 'hot keys, and one of the lost that was new',
    lost: (i) => both(i === 4 ? 'ghost' : `hot${i % 3}`),
    more: (i) => both(`hot${i % 3}`),
    env: { WEIR_CRITICAL_MAX_PER_CHANNEL: '5' },
    state: false,
    critical: false,
  },
  {
    name: 'critical messages of another channel',
    lost: () => ['critical.a'],
    more: () => ['critical.b'],
    state: false,
    critical: true,
    lostState: false,
  },
];

/** Only with `npm run test:cases`. */
const moreCases: readonly Case[] = [
  {
    name: 'the same keys, all places of before overwritten',
    lost: (i) => both(`hot${i % 3}`),
    more: (i) => both(`hot${i % 3}`),
    env: { WEIR_CRITICAL_MAX_PER_CHANNEL: '5' },
    state: false,
    critical: false,
  },
  {
    name: 'hot keys, and one of the lost that was deleted',
    lost: (i) => both(i === 4 ? 'old3!' : `hot${i % 3}`),
    more: (i) => both(`hot${i % 3}`),
    env: { WEIR_CRITICAL_MAX_PER_CHANNEL: '5' },
    state: true,
    critical: false,
  },
  {
    name: 'critical messages alone',
    lost: () => ['critical.a'],
    more: () => ['critical.a'],
    state: false,
    critical: true,
    lostState: false,
  },
  {
    name: 'state alone',
    lost: (i) => [`state.a.lost${i}`],
    more: (i) => [`state.b.more${i}`],
    state: true,
    critical: false,
  },
];

interface Watched {
  readonly weir: Weir;
  /** Critical messages and gaps of all channels, in order. */
  readonly seen: unknown[];
}

let cluster: SmallCluster;
let gate: Gate;
let nats: NatsConnection;
let copy: StoreCopy;
let shards: Service[];
let version: number;

async function begin(env: Readonly<Record<string, string>> = {}): Promise<void> {
  version = 0;
  cluster = await SmallCluster.start();
  gate = await Gate.to(cluster.nats.port);
  nats = await connectNats({ servers: cluster.nats.url });
  shards = [];
  await startShards(env);
}

/** Until they have ended, they count as running, and the router may lead a client to one of them. */
async function killShards(): Promise<void> {
  await Promise.all(shards.map(({ process }) => end(process, 'SIGKILL')));
}

async function startShards(env: Readonly<Record<string, string>> = {}): Promise<void> {
  // The interval rules out a chance check.
  const behindGate = { ...env, WEIR_NATS_URL: `nats://127.0.0.1:${gate.port}`, WEIR_VERIFY_MS: '10000' };
  shards = [];
  for (const [pool, id] of SHARDS) shards.push(await cluster.shard(pool, id, behindGate));
}

afterEach(async () => {
  await nats.close();
  await cluster.stop();
  await gate.shut();
  await copy.remove();
});

/** Publishes to subjects (without `weir.`) in order; a subject that ends in `!` deletes the key. */
async function publish(subjects: readonly string[]): Promise<void> {
  for (const subject of subjects) {
    const value = subject.endsWith('!') ? '' : JSON.stringify({ version: ++version });
    await jetstream(nats).publish(`weir.${subject.replace('!', '')}`, value);
  }
}

async function publishAll(count: number, subjectsOf: Case['lost']): Promise<number> {
  const from = version;
  for (let i = 0; i < count; i++) await publish(subjectsOf(i));
  return from;
}

async function natsIsBack(): Promise<void> {
  await nats.close();
  await cluster.nats.restart();
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  await until(
    () =>
      jetstreamManager(nats, { timeout: 500 }).then(
        () => true,
        () => false,
      ),
    'JetStream answers',
  );
}

/** Publishes ten old keys and two messages, copies the store, and waits until shards have noticed that NATS is back. */
async function copied(): Promise<void> {
  for (let i = 0; i < 10; i++) await publish([`state.a.old${i}`]);
  await publish(['critical.a', 'critical.b']);
  await cluster.nats.kill('SIGTERM');
  copy = await copyStore(cluster.nats);
  await natsIsBack();
  for (const shard of shards)
    await until(async () => (await metric(shard, 'weir_shard_stale')) === 0, 'a shard is back');
}

/** Loses everything after the copy, publishes more before shards reconnect. Returns the last lost number. */
async function rolledBack(more: Case['more'], bare: readonly BareClient[]): Promise<number> {
  for (const client of bare) client.lost(version);
  await gate.shut();
  await cluster.nats.kill('SIGKILL');
  await copy.putBack();
  await natsIsBack();
  return publishAll(MORE, more);
}

function watch(): Watched {
  const weir = connect({ url: cluster.routerUrl, channels: [...CHANNELS], WebSocket });
  const seen: unknown[] = [];
  for (const channel of CHANNELS) {
    weir.channel(channel).on('critical', ({ data }) => seen.push(Number(Object(data).version)));
    weir.channel(channel).on('gap', ({ reset }) => seen.push(reset ? 'reset' : 'gap'));
  }
  return { weir, seen };
}

const POOLS = [`channels=${CHANNELS.join(',')}`, `channels=${CHANNELS.join(',')}&class=mobile`];

/** A client that left with everything published so far; its position says so. */
async function away(query: string): Promise<BareClient> {
  const client = await BareClient.connect(cluster.routerUrl, query);
  await until(() => CHANNELS.every((channel) => client.has(channel)), 'the client is served');
  await positioned(client);
  client.close();
  return client;
}

/** Waits until the client has everything published so far, and its position says so. */
async function positioned(client: BareClient): Promise<void> {
  const { state, critical } = await heads();
  await until(() => {
    const [, , stateSeq = '0', , criticalSeq = '0'] = client.position?.split('.') ?? [];
    return Number.parseInt(stateSeq, 36) >= state && Number.parseInt(criticalSeq, 36) >= critical;
  }, 'a position that contains everything');
}

async function heads(): Promise<{ readonly state: number; readonly critical: number }> {
  const { streams } = await jetstreamManager(nats);
  const { state } = await streams.info('WEIR_STATE');
  const critical = await streams.info('WEIR_CRITICAL');
  return { state: state.last_seq, critical: critical.state.last_seq };
}

async function sameAsStream(clients: readonly BareClient[], sdk?: Watched): Promise<void> {
  const stream = await streamState(nats);
  const ofSdk = (): ReadonlyMap<string, ReadonlyMap<string, string>> =>
    new Map(
      CHANNELS.map((name) => [
        name,
        new Map(
          [...(sdk?.weir.channel(name).state ?? [])].map(([key, value]) => [key, JSON.stringify(value)]),
        ),
      ]),
    );
  const faults = (): readonly string[] => [
    ...clients.flatMap((client) => differences(stream, client.maps(CHANNELS))),
    ...(sdk === undefined ? [] : differences(stream, ofSdk())),
  ];
  await until(() => faults().length === 0, 'clients have what the stream has').catch(() => undefined);
  expect(faults()).toEqual([]);
}

/** Numbers above `after` that the critical stream keeps. */
async function keptAfter(after: number): Promise<readonly number[]> {
  const manager = await jetstreamManager(nats);
  const { state } = await manager.streams.info('WEIR_CRITICAL');
  const kept: number[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage('WEIR_CRITICAL', { seq }).catch(() => null);
    const number = message === null ? 0 : Number(JSON.parse(message.string()).version);
    if (number > after) kept.push(number);
  }
  return kept;
}

/** A client that had the copy and the lost messages must get all kept messages after them, in order. */
async function expectNews(seen: () => readonly unknown[], after: number): Promise<void> {
  const kept = await keptAfter(after);
  const got = (): readonly unknown[] => seen().filter((one) => typeof one === 'number' && one > after);
  await until(() => got().length >= kept.length, 'the new messages').catch(() => undefined);
  expect(got()).toEqual(kept);
}

const numbersOf = (client: BareClient): readonly number[] =>
  client.of('critical').map(({ message }) => Number(Object(message['data']).version));

interface Scene {
  readonly sdk: Watched | undefined;
  /** Connected all the time, one in each pool. */
  readonly bare: readonly BareClient[];
  /** Clients that left when they had everything. */
  readonly gone: readonly BareClient[];
}

/** Clients that have everything; part of it is about to be lost. */
async function scene({ lost, env }: Case, withSdk: boolean): Promise<Scene> {
  await begin(env);
  const sdk = withSdk ? watch() : undefined;
  const bare = await Promise.all(POOLS.map((pool) => BareClient.connect(cluster.routerUrl, pool)));
  await until(() => bare.every((client) => CHANNELS.every((one) => client.has(one))), 'they are served');
  await until(() => sdk === undefined || sdk.weir.status === 'open', 'the SDK is served');
  await copied();
  await publishAll(LOST, lost);
  // Data after a position is not proven by it. The SDK has the position of the client beside it.
  await Promise.all(bare.map(positioned));
  return { sdk, bare, gone: await Promise.all(POOLS.map((pool) => away(pool))) };
}

/** The clients that left return to the new stream. */
async function comeBack(
  { gone }: Scene,
  expected: { readonly after: number; readonly snapshot: boolean; readonly reset: boolean },
): Promise<void> {
  for (const [i, earlier] of gone.entries()) {
    const client = await BareClient.connect(cluster.routerUrl, POOLS[i] ?? '', earlier.position);
    client.continues(earlier);
    await until(() => client.served, 'the client that comes back is served').catch((error) => {
      const { closed, position } = client;
      throw new Error(`${error.message}; it is at ${position}, closed with ${closed}`);
    });
    const anew = client.of('state').some(({ message }) => message['snapshot'] === true);
    const reset = client.of('gap').some(({ message }) => message['reset'] === true);
    expect({ snapshot: anew, reset }).toEqual({ snapshot: expected.snapshot, reset: expected.reset });
    const resumed = !anew && client.of('gap').length === 0;
    expect(client.of('welcome')[0]?.message['resumed']).toBe(resumed);
    await sameAsStream([client]);
    await expectNews(() => numbersOf(client), expected.after);
    client.close();
  }
}

describe.each(sample([...cases, ...scale([], moreCases)], 2))('a store that went back: $name', (one) => {
  it('is noticed by running shards', async () => {
    const { more, state, critical } = one;
    const all = await scene(one, true);
    const after = await rolledBack(more, all.bare);
    await gate.open();
    for (const shard of shards)
      await until(async () => (await metric(shard, 'weir_shard_stale')) === 0, 'a shard is back', 30_000);
    await sameAsStream(all.bare, all.sdk);
    await expectNews(() => all.sdk?.seen ?? [], after);
    for (const client of all.bare) {
      await expectNews(() => numbersOf(client), after);
      expect(client.of('gap').some(({ message }) => message['reset'] === true)).toBe(critical);
    }
    await comeBack(all, { after, snapshot: state, reset: critical });
    all.sdk?.weir.close();
    for (const client of all.bare) client.close();
  });

  it('is not trusted by shards that start then, with returning clients', async () => {
    const { more, critical, env = {} } = one;
    // The SDK's retries wait long.
    const all = await scene(one, one === cases[0]);
    await killShards();
    const after = await rolledBack(more, all.bare);
    await gate.open();
    await startShards(env);
    const { sdk } = all;
    if (sdk !== undefined) {
      await until(() => sdk.weir.status === 'open', 'the SDK is back', 60_000);
      await sameAsStream([], sdk);
      await expectNews(() => sdk.seen, after);
    }
    // A shard sees lost state only by its sequence, which may be overwritten by now.
    await comeBack(all, { after, snapshot: one.lostState ?? true, reset: critical });
    all.sdk?.weir.close();
  });
});

it('a shard that starts after the others have noticed repeats nothing to a client that had more than its position', async () => {
  await begin();
  const earlier = await BareClient.connect(cluster.routerUrl, POOLS[0] ?? '');
  await until(() => CHANNELS.every((channel) => earlier.has(channel)), 'the client is served');
  await publish(['critical.a', 'critical.b']);
  await positioned(earlier);
  const { position } = earlier;
  // The copy's messages come after that position, and the client has them.
  await copied();
  await until(() => numbersOf(earlier).length === 4, 'the client has what the copy holds');
  await publishAll(LOST, () => ['critical.a']);
  await positioned(earlier);
  earlier.close();
  const after = await rolledBack(() => ['critical.a'], []);
  await gate.open();
  for (const shard of shards)
    await until(async () => (await metric(shard, 'weir_shard_stale')) === 0, 'a shard is back', 30_000);
  await killShards();
  await startShards();
  const client = await BareClient.connect(cluster.routerUrl, POOLS[0] ?? '', position);
  await until(() => client.of('welcome').length > 0, 'the client is admitted');
  await expectNews(() => numbersOf(client), after);
  expect(numbersOf(client).filter((number) => numbersOf(earlier).includes(number))).toEqual([]);
  expect(client.of('gap').every(({ message }) => message['reset'] === true)).toBe(true);
  client.close();
});
