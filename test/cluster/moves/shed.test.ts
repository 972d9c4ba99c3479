// Rebalancing moves clients from one shard to another: by a request as in docs/protocol.md, and by control. Real
// services, clients on the SDK; no message is lost or doubled, and clients that do not move stay served.
import { once } from 'node:events';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { MoveEvent, Weir } from '@weir/client';
import { connect } from '@weir/client';
import { decodeShedAnswer, encodeShedRequest } from '@weir/fleet';
import { createSubjects } from '@weir/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

/** Control tolerates up to 50 clients above the average. */
const CLIENTS = 150;
const SHED = 10;
const PATIENCE_MS = 40_000;

const subjects = createSubjects();

/** An application on the SDK, which follows moves. */
class Application {
  readonly weir: Weir;
  readonly moves: MoveEvent[] = [];
  readonly data: number[] = [];
  gaps = 0;

  constructor() {
    this.weir = connect({ url: cluster.routerUrl, channels: ['news'] });
    this.weir.on('move', (event) => this.moves.push(event));
    const news = this.weir.channel('news');
    news.on('critical', ({ data }) => this.data.push(Number(data)));
    news.on('gap', () => this.gaps++);
  }
}

let cluster: SmallCluster;
let crowded: Service;
let empty: Service;
let nats: NatsConnection;
let feed: NodeJS.Timeout;
let sent = 0;
let measuredBefore = 0;
const applications: Application[] = [];

beforeAll(async () => {
  cluster = await SmallCluster.start({}, { WEIR_POOLS: 'tablet,desktop' });
  crowded = await cluster.shard('desktop', 'crowded', { WEIR_MIN_STAY_MS: '0', WEIR_THREADS: '2' });
  nats = await connectNats({ servers: cluster.nats.url });
  feed = setInterval(() => nats.publish('weir.critical.news', String(sent++)), 50);
  for (let i = 0; i < CLIENTS; i++) applications.push(new Application());
  await until(() => applications.every(({ data }) => data.length > 0), 'all are served', PATIENCE_MS);
  empty = await cluster.shard('desktop', 'empty');
  measuredBefore = await measured();
});

afterAll(async () => {
  clearInterval(feed);
  for (const { weir } of applications) weir.close();
  await nats?.close();
  await cluster?.stop();
});

const connections = (shard: Service): Promise<number> => metric(shard, 'weir_shard_connections');
const moved = (): readonly Application[] => applications.filter(({ moves }) => moves.length > 0);

/** Clients that the router has measured, with any outcome. */
async function measured(): Promise<number> {
  const text = await (await fetch(`${cluster.router.admin}/metrics`)).text();
  const outcomes = [...text.matchAll(/^weir_router_probes_total\{outcome="(\w+)"\} (\d+)$/gm)];
  return outcomes.reduce((sum, [, outcome, n]) => sum + (outcome === 'skipped' ? 0 : Number(n)), 0);
}

async function ask(shard: string, request: Uint8Array): Promise<number | undefined> {
  const { data } = await nats.request(subjects.shed(shard), request, { timeout: 2_000 });
  return decodeShedAnswer(data)?.accepted;
}

async function everybodyHasAll(): Promise<void> {
  const upTo = sent;
  await until(
    () => applications.every(({ data }) => (data.at(-1) ?? 0) >= upTo),
    'everybody has the newest message',
    PATIENCE_MS,
  );
  for (const { data, gaps } of applications) {
    expect(data).toEqual(data.map((_, i) => (data[0] ?? 0) + i));
    expect(gaps).toBe(0);
  }
}

describe('a shard that is asked to shed', () => {
  it('sends as many clients as it answers to another shard of the pool, without measuring them', async () => {
    expect(await ask('crowded', encodeShedRequest({ moves: SHED, withinMs: 5_000 }))).toBe(SHED);
    await until(() => moved().length === SHED, 'they have moved', PATIENCE_MS);
    await until(async () => (await connections(crowded)) === CLIENTS - SHED, 'they have left', PATIENCE_MS);
    expect(await connections(empty)).toBe(SHED);
    for (const { moves } of moved())
      expect(moves).toMatchObject([{ pool: 'desktop', reason: 'rebalance', resumed: true }]);
    expect(await metric(crowded, 'weir_shard_moves_total{reason="rebalance"}')).toBe(SHED);
    expect(await metric(crowded, 'weir_shard_shed_requests_total{outcome="accepted"}')).toBe(1);
    expect(await measured()).toBe(measuredBefore);
    await everybodyHasAll();
  });

  it('leaves clients alone that have just connected', async () => {
    expect(await ask('empty', encodeShedRequest({ moves: SHED, withinMs: 5_000 }))).toBe(0);
    expect(await metric(empty, 'weir_shard_shed_requests_total{outcome="nobody"}')).toBe(1);
  });

  it('answers an invalid request with 0 clients', async () => {
    expect(await ask('empty', new TextEncoder().encode('{"v":1,"moves":"all"}'))).toBe(0);
    expect(await metric(empty, 'weir_shard_shed_requests_total{outcome="invalid"}')).toBe(1);
  });

  it('is brought down to the average by control', async () => {
    const before = moved().length;
    await cluster.control({ WEIR_REBALANCE_COOL_DOWN_MS: '1000', WEIR_REBALANCE_WITHIN_MS: '5000' });
    const average = CLIENTS / 2;
    await until(async () => (await connections(crowded)) === average, 'the pool is balanced', PATIENCE_MS);
    await until(() => moved().length === average, 'all have told', PATIENCE_MS);
    expect(moved().length - before).toBe(average - SHED);
    expect(applications.every(({ moves }) => moves.length <= 1)).toBe(true);
    await everybodyHasAll();
  });

  it('serves a client that does not move, until a drain; and asks no client while it drains', async () => {
    const alone = await cluster.shard('tablet', 'alone', {
      WEIR_MIN_STAY_MS: '0',
      WEIR_DRAIN_GRACE_MS: '3000',
      WEIR_DRAIN_WITHIN_MS: '1000',
    });
    const stubborn = await BareClient.connect(cluster.routerUrl, 'channels=news&class=tablet');
    await until(() => stubborn.of('position').length > 0, 'it is served');
    expect(await ask('alone', encodeShedRequest({ moves: 1, withinMs: 1_000 }))).toBe(1);
    await until(() => stubborn.of('move').length > 0, 'it is asked');
    const upTo = stubborn.ids.length + 40;
    await until(() => stubborn.ids.length > upTo, 'it is served on');
    expect(stubborn.of('move').map(({ message }) => message['reason'])).toEqual(['rebalance']);
    alone.process.kill('SIGTERM');
    await until(async () => {
      expect(await ask('alone', encodeShedRequest({ moves: 1, withinMs: 1_000 }))).toBe(0);
      return (await metric(alone, 'weir_shard_shed_requests_total{outcome="unfit"}')) > 0;
    }, 'nobody is asked any more');
    await until(() => stubborn.of('move').length > 1, 'the drain asks it', PATIENCE_MS);
    expect(stubborn.of('move').at(-1)?.message['reason']).toBe('drain');
    await once(alone.process, 'exit');
    expect(stubborn.closed).toBe(4012);
  });
});
