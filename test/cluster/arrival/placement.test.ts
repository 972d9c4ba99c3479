// Where the router sends clients when shards are missing, full, draining or dead, and how it handles odd clients.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askRouter, BareClient } from '../../harness/bare-client.ts';
import { end } from '../../harness/end.ts';
import { opcodes, RawClient } from '../../harness/raw-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

/** Long enough to measure a client that answers, even on a busy machine. */
const PROBE_DEADLINE_MS = 3_000;

let cluster: SmallCluster;

beforeEach(async () => {
  const env = { WEIR_PROBE_DEADLINE_MS: String(PROBE_DEADLINE_MS), WEIR_HEADERS_TIMEOUT_MS: '1000' };
  cluster = await SmallCluster.start({}, env);
});

afterEach(() => cluster.stop());

const ask = (query = 'channels=lobby'): Promise<Readonly<Record<string, unknown>>> =>
  askRouter(`${cluster.routerUrl}/v1/connect?${query}`);

const served = async (query = 'channels=lobby'): Promise<BareClient> => {
  const client = await BareClient.connect(cluster.routerUrl, query);
  await until(() => client.of('welcome').length > 0, 'the client is served');
  return client;
};

const shardOf = (client: BareClient): unknown => client.of('welcome')[0]?.message['shard'];

/**
 * A beat tells the router how many connections a shard has; until the next beat, tickets count as connections. A beat
 * that was already on its way has neither, so the router may send one client too many to a shard that just filled up.
 */
async function sent(query: string, to: string): Promise<BareClient> {
  let redirect: Readonly<Record<string, unknown>> | undefined;
  await until(async () => {
    redirect = await ask(query).catch(() => undefined);
    return redirect?.['pool'] === to;
  }, `a client is sent to ${to}`);
  return BareClient.open(String(redirect?.['url']));
}

/** Waits until the router knows that there is no room. */
async function isFull(): Promise<void> {
  const answer = (): Promise<string> => ask().then(String, String);
  await until(async () => (await answer()).includes('4013'), 'nobody is sent anywhere');
}

describe('without room', () => {
  it('no shards: closed with 4013, and served as soon as there is a shard', async () => {
    await expect(ask()).rejects.toThrow('4013');
    await expect(ask('channels=lobby&class=mobile')).rejects.toThrow('4013');
    await cluster.shard('desktop', 'desktop-1');
    (await served()).close();
  });

  it('full shards: closed with 4013, by the shard too, until a client leaves', async () => {
    const shard = await cluster.shard('desktop', 'desktop-1', { WEIR_CAPACITY: '1' });
    const other = await ask();
    const first = await served('channels=lobby').catch(() => undefined);
    // The first ticket may still count as a client on its way: then the router has no room for the next one.
    const holder = first ?? BareClient.open(String(other['url']));
    await until(() => holder.of('welcome').length > 0, 'one is served');
    await isFull();
    if (first !== undefined) {
      const late = BareClient.open(String(other['url']));
      await until(() => late.closed !== undefined, 'the shard refuses');
      expect(late.closed).toBe(4013);
    }
    expect(await metric(shard, 'weir_shard_connections')).toBe(1);
    expect(holder.closed).toBeUndefined();
    holder.close();
    await until(async () => (await ask().catch(() => undefined)) !== undefined, 'there is room again');
  });

  it('a full pool: the next pool takes its clients', async () => {
    await cluster.shard('desktop', 'desktop-1', { WEIR_CAPACITY: '1' });
    await cluster.shard('mobile', 'mobile-1');
    const first = await served();
    expect(first.redirect['pool']).toBe('desktop');
    const second = await sent('channels=lobby', 'mobile');
    await until(() => second.of('welcome').length > 0, 'the next one is served');
    first.close();
    (await sent('channels=lobby', 'desktop')).close();
    second.close();
  });
});

describe('shards that end', () => {
  let staying: Service;
  let ending: Service;

  beforeEach(async () => {
    staying = await cluster.shard('desktop', 'staying');
    ending = await cluster.shard('desktop', 'ending', { WEIR_DRAIN_GRACE_MS: '3000' });
  });

  /** A ticket for the shard that is about to end. */
  async function ticketToEnding(): Promise<string> {
    for (;;) {
      const url = String((await ask())['url']);
      if (url.startsWith(ending.url)) return url;
    }
  }

  it('draining: the router sends no new clients there, and the shard closes older tickets with 4012', async () => {
    // A drain without clients ends at once.
    const resident = BareClient.open(await ticketToEnding());
    await until(() => resident.of('welcome').length > 0, 'somebody is on it');
    const url = await ticketToEnding();
    ending.process.kill('SIGTERM');
    await until(async () => !(await fetch(`${ending.admin}/readyz`)).ok, 'it is draining');
    const late = BareClient.open(url);
    await until(() => late.closed !== undefined, 'the shard refuses');
    expect(late.closed).toBe(4012);
    await until(
      async () =>
        (await metric(cluster.router, 'weir_router_roster_shards{pool="desktop",state="draining"}')) === 1,
      'the router has heard of it',
    );
    for (let i = 0; i < 20; i++) expect(String((await ask())['url'])).toContain(staying.url);
  });

  it('only draining shards: closed with 4013', async () => {
    const resident = BareClient.open(await ticketToEnding());
    await until(() => resident.of('welcome').length > 0, 'somebody is on it');
    ending.process.kill('SIGTERM');
    await end(staying.process, 'SIGKILL');
    await isFull();
  });

  it('killed: the router sends no clients there once its beats stop', async () => {
    await end(ending.process, 'SIGKILL');
    await until(
      async () => (await (await fetch(`${cluster.router.admin}/readyz`)).text()).includes('"shards":1'),
      'the router has noticed',
    );
    for (let i = 0; i < 20; i++) expect(String((await ask())['url'])).toContain(staying.url);
    expect(shardOf(await served())).toBe('staying');
  });
});

describe('odd clients at the router', () => {
  beforeEach(async () => {
    await cluster.shard('desktop', 'desktop-1');
    await cluster.shard('mobile', 'mobile-1');
  });

  const connectUrl = (): string => `${cluster.routerUrl}/v1/connect?channels=lobby`;

  it('silent clients go to the slowest pool at the deadline, and delay no other client', async () => {
    const startedMs = performance.now();
    const silent = Array.from({ length: 50 }, () => new RawClient(connectUrl(), { answers: () => false }));
    await until(() => silent.every(({ status }) => status === 101), 'all are being measured');
    const quick = await ask();
    expect(quick['pool']).toBe('desktop');
    expect(silent.some(({ closeCode }) => closeCode !== undefined)).toBe(false);
    await until(() => silent.every(({ closeCode }) => closeCode === 4001), 'all are redirected');
    expect(performance.now() - startedMs).toBeLessThan(PROBE_DEADLINE_MS + 5_000);
    for (const client of silent) {
      expect(client.of('redirect')[0]).toMatchObject({ pool: 'mobile', confidence: 'low' });
      client.socket.destroy();
    }
  });

  it('clients that leave at any step of the handshake leave nothing behind', async () => {
    const { hostname, port } = new URL(cluster.routerUrl);
    const halves = ['', 'G', 'GET /v1/connect?channels=lobby HTTP/1.1\r\nHost: x\r\nUpgrade: webs'];
    for (const half of halves) {
      const socket = connectTcp(Number(port), hostname);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.end(half);
    }
    const idle = connectTcp(Number(port), hostname);
    idle.on('error', () => undefined).resume();
    await once(idle, 'connect');
    idle.write('GET /v1/connect?channels=lobby HTTP/1.1\r\nHost: x\r\n');
    for (const leave of [
      (client: RawClient) => client.socket.destroy(),
      (client: RawClient) => client.socket.end(),
      (client: RawClient) => client.socket.resetAndDestroy(),
      (client: RawClient) => client.send(opcodes.close, Buffer.from([0x03, 0xe8])),
    ]) {
      const client = new RawClient(connectUrl(), { answers: () => false });
      await until(() => client.pings > 0, 'it is being measured');
      leave(client);
      await until(() => client.gone || client.ended || client.closeCode !== undefined, 'it is let go');
      client.socket.destroy();
    }
    await once(idle, 'close');
    await until(
      async () => (await metric(cluster.router, 'weir_router_open_sockets')) === 0,
      'no socket is left',
    );
    expect((await ask())['pool']).toBe('desktop');
  });
});
