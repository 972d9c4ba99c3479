// NATS goes away and comes back: what was acknowledged reaches everybody once and in order, and shards say the truth.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../harness/bare-client.ts';
import type { Service } from '../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../harness/small-cluster.ts';

let cluster: SmallCluster;
let nats: NatsConnection;
let desktop: Service;
let mobile: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  desktop = await cluster.shard('desktop', 'desktop-1');
  mobile = await cluster.shard('mobile', 'mobile-1');
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

/** Publishes until the stream has it; the id makes the stream drop what it has already. */
async function keep(subject: string, value: string, id: string): Promise<void> {
  await until(
    () =>
      jetstream(nats, { timeout: 1_000 })
        .publish(subject, value, { msgID: id })
        .then(
          () => true,
          () => false,
        ),
    `${id} is acknowledged`,
    30_000,
  );
}

const ready = async (service: Service): Promise<{ ok: boolean; text: string }> => {
  const response = await fetch(`${service.admin}/readyz`);
  return { ok: response.ok, text: await response.text() };
};

const isStale = async (service: Service): Promise<boolean> =>
  (await metric(service, 'weir_shard_stale')) === 1;

describe('critical messages', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'arrive once and in order through a restart of NATS by %s',
    async (signal) => {
      const channel = `through-${signal}`;
      const bare = [
        await BareClient.connect(cluster.routerUrl, `channels=${channel}`),
        await BareClient.connect(cluster.routerUrl, `channels=${channel}&class=mobile`),
      ];
      const weir = connect({ url: cluster.routerUrl, channels: [channel], WebSocket });
      const bySdk: unknown[] = [];
      const gaps: unknown[] = [];
      weir.channel(channel).on('critical', ({ data }) => bySdk.push(data));
      weir.channel(channel).on('gap', (gap) => gaps.push(gap));
      await until(() => bare.every((client) => client.of('state').length > 0), 'both are served');
      await until(() => weir.status === 'open', 'the SDK is served');

      let restarted: Promise<void> | undefined;
      const sent: number[] = [];
      let afterRestart = 0;
      let isBack = false;
      for (let i = 0; afterRestart < 50; i++) {
        await keep(`weir.critical.${channel}`, String(i), `${channel}-${i}`);
        await keep(`weir.state.${channel}.n`, String(i), `${channel}-n-${i}`);
        sent.push(i);
        if (i === 100) {
          restarted = cluster.nats
            .kill(signal)
            .then(() => cluster.nats.restart())
            .then(() => {
              isBack = true;
            });
        }
        if (isBack) afterRestart++;
      }
      await restarted;
      const last = sent.at(-1);
      await until(() => bySdk.at(-1) === last, 'the SDK has the last message');
      for (const client of bare) {
        await until(() => client.of('critical').at(-1)?.message['data'] === last, 'it has the last message');
        await until(() => client.state.get('n') === String(last), 'it has the newest value');
        expect(client.of('critical').map(({ message }) => message['data'])).toEqual(sent);
        expect([...client.ids].sort((a, b) => a - b)).toEqual(client.ids);
        expect(client.of('gap')).toEqual([]);
        expect(client.closed).toBeUndefined();
        client.close();
      }
      expect(bySdk).toEqual(sent);
      expect(gaps).toEqual([]);
      weir.close();
    },
  );
});

describe('while NATS is away (case B6)', () => {
  it('shards keep their clients, stay ready and say stale; newcomers are served what is known', async () => {
    await keep('weir.state.away.before', '1', 'away-before');
    const clients = [
      await BareClient.connect(cluster.routerUrl, 'channels=away'),
      await BareClient.connect(cluster.routerUrl, 'channels=away&class=mobile'),
    ];
    await until(() => clients.every((client) => client.state.has('before')), 'both are served');
    for (const shard of [desktop, mobile]) expect(await isStale(shard)).toBe(false);

    await cluster.nats.kill();
    const wentMs = performance.now();
    for (const shard of [desktop, mobile]) {
      await until(() => isStale(shard), 'the shard says that it is stale', 5_000);
      expect(await ready(shard)).toMatchObject({ ok: true, text: expect.stringContaining('"stale":true') });
      expect((await fetch(`${shard.admin}/livez`)).ok).toBe(true);
      expect(await metric(shard, 'weir_nats_connected')).toBe(0);
    }
    // Longer than the time after which a silent shard gets nobody: nobody can be heard now, so nobody is silent.
    await until(() => performance.now() - wentMs > 4_000, 'the outage has lasted');
    const newcomer = await BareClient.connect(cluster.routerUrl, 'channels=away');
    await until(() => newcomer.state.has('before'), 'a newcomer is served');
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);

    await cluster.nats.restart();
    const backMs = performance.now();
    await keep('weir.state.away.after', '2', 'away-after');
    await keep('weir.critical.away', '3', 'away-critical');
    for (const client of [...clients, newcomer]) {
      await until(() => client.state.has('after') && client.ids.length === 1, 'all have caught up', 10_000);
    }
    for (const shard of [desktop, mobile]) {
      await until(async () => !(await isStale(shard)), 'the shard is no longer stale');
    }
    expect(performance.now() - backMs).toBeLessThan(10_000);
    for (const client of [...clients, newcomer]) {
      expect(client.closed).toBeUndefined();
      expect(client.of('gap')).toEqual([]);
      client.close();
    }
  });

  it('a shard that starts meanwhile waits unready and comes by itself', async () => {
    await cluster.nats.kill();
    const early = await cluster.startShard('desktop', 'desktop-early');
    expect(await ready(early)).toMatchObject({ ok: false });
    expect((await fetch(`${early.admin}/livez`)).ok).toBe(true);
    await cluster.nats.restart();
    await until(async () => (await ready(early)).ok, 'it is ready', 10_000);
    expect(early.process.exitCode).toBeNull();
    early.process.kill('SIGKILL');
    await until(
      async () => (await (await fetch(`${cluster.router.admin}/readyz`)).text()).includes('"shards":2'),
      'the router has noticed its end',
    );
  });

  it('ten restarts in a row disconnect nobody and lose nothing', async () => {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=ten');
    await until(() => client.of('state').length > 0, 'the client is served');
    const sent: number[] = [];
    for (let i = 0; i < 10; i++) {
      await keep('weir.critical.ten', String(i), `ten-${i}`);
      sent.push(i);
      await cluster.nats.kill();
      await cluster.nats.restart();
    }
    await until(() => client.ids.length === 10, 'all ten have come', 20_000);
    expect(client.of('critical').map(({ message }) => message['data'])).toEqual(sent);
    expect(client.closed).toBeUndefined();
    for (const shard of [desktop, mobile]) expect(shard.process.exitCode).toBeNull();
    client.close();
  });
});
