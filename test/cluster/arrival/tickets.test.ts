// Bad tickets and bad clients at a shard: it refuses each with its own code, and keeps serving the others.
import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Ticket, TicketKey } from '@weir/protocol';
import { issueHint, issueTicket, parseTicketKeys } from '@weir/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let nats: NatsConnection;
let shard: Service;
/** A client that does nothing wrong. */
let healthy: BareClient;
let published = 0;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('desktop', 'desktop-1');
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1 });
  healthy = await BareClient.connect(cluster.routerUrl, 'channels=lobby');
  await until(() => healthy.of('state').length > 0, 'the healthy client is served');
});

afterAll(async () => {
  healthy.close();
  await nats.close();
  await cluster.stop();
});

beforeEach(() => {
  published++;
});

afterEach(async () => {
  // Whatever the test did, the healthy client is still served.
  nats.publish('weir.critical.lobby', String(published));
  nats.publish('weir.state.lobby.n', String(published));
  await until(
    () => healthy.of('critical').at(-1)?.message['data'] === published,
    'the healthy one is served',
  );
  await until(() => healthy.state.get('n') === String(published), 'the healthy one has the newest state');
  expect(healthy.closed).toBeUndefined();
  expect(shard.process.exitCode).toBeNull();
});

const ours = (): TicketKey => {
  const [first] = parseTicketKeys(cluster.ticketKeys);
  if (first === undefined) throw new Error('there is no key');
  return first;
};

function ticket(changes: Partial<Ticket> = {}): Ticket {
  const id = randomBytes(12).toString('base64url');
  return {
    id,
    pool: 'desktop',
    shard: 'desktop-1',
    channels: ['lobby'],
    allow: ['lobby'],
    denied: [],
    tls: false,
    ...changes,
  };
}

const sign = (value: Ticket, { nowMs = Date.now(), ttlMs = 30_000, by = ours() } = {}): Promise<string> =>
  issueTicket(value, { key: by, nowMs, ttlMs });

const streamUrl = (token: string): string => `${shard.url}/v1/stream?ticket=${token}`;

/** The close code for this ticket; the shard must close within the deadline, and serve nothing. */
async function refusal(token: string): Promise<number | undefined> {
  const client = BareClient.open(streamUrl(token));
  await until(() => client.closed !== undefined, 'the stream is closed');
  expect(client.frames).toEqual([]);
  return client.closed;
}

const admissions = (outcome: string): Promise<number> =>
  metric(shard, `weir_shard_admissions_total{outcome="${outcome}"}`);

describe('a ticket', () => {
  it('opens one stream if it is good', async () => {
    const token = await sign(ticket());
    const client = BareClient.open(streamUrl(token));
    await until(() => client.of('state').length > 0, 'it is served');
    expect(await refusal(token)).toBe(4003);
    expect(client.closed).toBeUndefined();
    client.close();
  });

  it.each<[string, () => Promise<string>, number, string]>([
    ['is missing', async () => '', 4500, 'forged'],
    ['is no ticket', async () => 'nonsense', 4500, 'forged'],
    ['is very long', async () => 'A'.repeat(7_000), 4500, 'forged'],
    ['has a wrong signature', async () => `${(await sign(ticket())).slice(0, -5)}AAAAA`, 4500, 'forged'],
    [
      'has other contents than were signed',
      async () => {
        const [head, , signature] = (await sign(ticket())).split('.');
        const [, payload] = (await sign(ticket({ allow: ['>'] }))).split('.');
        return `${head}.${payload}.${signature}`;
      },
      4500,
      'forged',
    ],
    [
      'is signed by another key of the same name',
      async () => sign(ticket(), { by: { id: ours().id, secret: new Uint8Array(randomBytes(32)) } }),
      4500,
      'forged',
    ],
    [
      'says alg none (case G5)',
      async () => {
        const [, payload] = (await sign(ticket())).split('.');
        const head = Buffer.from('{"alg":"none","typ":"weir-ticket+jwt","kid":"test"}').toString('base64url');
        return `${head}.${payload}.`;
      },
      4500,
      'forged',
    ],
    [
      'is a hint (case G5)',
      async () =>
        issueHint(
          { id: 'h', pool: 'desktop', allow: ['lobby'] },
          { key: ours(), nowMs: Date.now(), ttlMs: 30_000 },
        ),
      4500,
      'forged',
    ],
    ['is of another pool', async () => sign(ticket({ pool: 'mobile' })), 4500, 'wrongPool'],
    ['is of another shard', async () => sign(ticket({ shard: 'desktop-2' })), 4003, 'wrongShard'],
    ['has expired', async () => sign(ticket(), { nowMs: Date.now() - 60_000 }), 4003, 'expired'],
    [
      'comes from a clock that is 90 s ahead (case C8)',
      async () => sign(ticket(), { nowMs: Date.now() + 90_000 }),
      4003,
      'clockSkew',
    ],
  ])('that %s is refused', async (_, make, code, outcome) => {
    const before = await admissions(outcome);
    expect(await refusal(await make())).toBe(code);
    expect(await admissions(outcome)).toBe(before + 1);
  });

  it.each([-5_000, 5_000])('from a clock that is %i ms off is good (case C8)', async (offMs) => {
    const client = BareClient.open(streamUrl(await sign(ticket(), { nowMs: Date.now() + offMs })));
    await until(() => client.of('state').length > 0, 'it is served');
    client.close();
  });

  it('opens one stream if ten clients show it together (case F4)', async () => {
    const token = await sign(ticket());
    const clients = Array.from({ length: 10 }, () => BareClient.open(streamUrl(token)));
    await until(
      () => clients.filter(({ closed }) => closed !== undefined).length === 9,
      'nine of ten are refused',
    );
    expect(clients.map(({ closed }) => closed).filter((code) => code === 4003)).toHaveLength(9);
    const served = clients.filter((client) => client.of('welcome').length > 0);
    expect(served).toHaveLength(1);
    served[0]?.close();
  });
});

/** A client with this ticket that has its first state. */
async function open(changes: Partial<Ticket> = {}): Promise<BareClient> {
  const client = BareClient.open(streamUrl(await sign(ticket(changes))));
  await until(() => client.of('state').length > 0, 'it is served');
  return client;
}

describe('channels that the ticket does not allow', () => {
  it('are answered with an error on subscribe, and the allowed ones of the same request are subscribed', async () => {
    nats.publish('weir.state.sports.42.k', '1');
    nats.publish('weir.state.secret.k', '"secret"');
    const client = await open({ allow: ['lobby', 'sports.*'] });
    client.ws.send('{"type":"subscribe","channels":["secret","sports.42","sports.42.deep","__proto__"]}');
    await until(() => client.state.has('k'), 'the allowed one');
    await until(() => client.of('error').length === 3, 'the errors');
    expect(client.of('error').map(({ message }) => [message['code'], message['channel']])).toEqual([
      ['CHANNEL_FORBIDDEN', 'secret'],
      ['CHANNEL_FORBIDDEN', 'sports.42.deep'],
      ['CHANNEL_FORBIDDEN', '__proto__'],
    ]);
    nats.publish('weir.critical.secret', '"secret"');
    nats.publish('weir.critical.sports.42', '"seen"');
    await until(() => client.ids.length === 1, 'the critical message of the allowed one');
    expect(client.frames.some(({ text }) => text.includes('"secret"') && !text.includes('error'))).toBe(
      false,
    );
    expect(client.closed).toBeUndefined();
    client.close();
  });

  it('are named in one error each if the router left them out', async () => {
    const client = await open({ denied: ['secret', 'other'] });
    expect(client.of('error').map(({ message }) => message['channel'])).toEqual(['secret', 'other']);
    client.close();
  });

  it('are too many in one request: the shard does nothing of it', async () => {
    const client = await open({ allow: ['>'] });
    const channels = Array.from({ length: 100 }, (_, i) => `c${i}`);
    client.ws.send(JSON.stringify({ type: 'subscribe', channels }));
    await until(() => client.of('error').length === 1, 'the error');
    expect(client.of('error')[0]?.message).toEqual({ type: 'error', code: 'CHANNEL_LIMIT' });
    client.ws.send(JSON.stringify({ type: 'subscribe', channels: channels.slice(0, 99) }));
    await until(() => client.of('state').length === 100, 'a snapshot of each of the 99');
    client.close();
  });
});

describe('messages of a client', () => {
  it.each<[string, string | Buffer, number]>([
    ['no JSON', '{"type":', 4501],
    ['nothing', '', 4501],
    ['no object', '[1]', 4501],
    ['null', 'null', 4501],
    ['another type', '{"type":"publish","channel":"lobby","data":1}', 4501],
    ['another field', '{"type":"subscribe","channels":["lobby"],"x":1}', 4501],
    ['channels that are no list', '{"type":"subscribe","channels":"lobby"}', 4501],
    ['channels that are no texts', '{"type":"subscribe","channels":[1]}', 4501],
    ['a very deep text', '['.repeat(2_000), 4501],
    ['a binary message', Buffer.from('{"type":"subscribe","channels":["lobby"]}'), 4501],
    ['a message over the limit', JSON.stringify({ type: 'subscribe', channels: ['x'.repeat(4_100)] }), 1009],
    ['ten megabytes', 'x'.repeat(10_000_000), 1009],
  ])('%s: closed', async (_, said, code) => {
    const client = await open();
    client.ws.send(said);
    await until(() => client.closed !== undefined, 'it is closed');
    expect(client.closed).toBe(code);
  });

  it('beyond the limit: too many messages or pings are closed with 4029', async () => {
    const [talker, pinger] = [await open(), await open()];
    for (let i = 0; i < 60; i++) talker.ws.send('{"type":"unsubscribe","channels":["other"]}');
    for (let i = 0; i < 60; i++) pinger.ws.ping();
    await until(() => talker.closed !== undefined && pinger.closed !== undefined, 'both are closed');
    expect([talker.closed, pinger.closed]).toEqual([4029, 4029]);
  });

  it('a burst within the limit is answered', async () => {
    const client = await open({ allow: ['>'] });
    for (let i = 0; i < 30; i++) client.ws.send(JSON.stringify({ type: 'subscribe', channels: [`b${i}`] }));
    await until(() => client.of('state').length === 31, 'all snapshots');
    expect(client.closed).toBeUndefined();
    client.close();
  });
});

describe('afterwards', () => {
  it('the shard counts exactly the clients that are left', async () => {
    await until(
      async () => (await metric(shard, 'weir_shard_connections')) === 1,
      'only the healthy one is left',
    );
    await until(
      async () => (await metric(shard, 'weir_shard_handshakes_pending')) === 0,
      'no handshake is left',
    );
  });
});
