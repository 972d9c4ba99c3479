// The users and permissions of docs/publishing.md as printed: the cluster works with them, and a publisher can only
// publish in the three lanes.
import { readFile } from 'node:fs/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats, PermissionViolationError } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { expectSound } from '../../harness/oracle.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const SERVICES = ['router', 'shard', 'control', 'publisher'] as const;
const user = (name: string): Readonly<Record<string, string>> => ({
  WEIR_NATS_USER: name,
  WEIR_NATS_PASSWORD: `secret of ${name}`,
});

let cluster: SmallCluster;
let shard: Service;
let publisher: Service;
let nats: NatsConnection;
/** Actions of the publisher that the server has refused. */
const refused: string[] = [];

beforeAll(async () => {
  const page = await readFile(new URL('../../../docs/publishing.md', import.meta.url), 'utf8');
  const [, printed = ''] = /```conf\n(.*?)```/s.exec(page) ?? [];
  const passwords = [
    'PUBLISHERS_PASSWORD: "secret of publishers"',
    ...SERVICES.map((name) => `WEIR_${name.toUpperCase()}_PASSWORD: "secret of weir-${name}"`),
  ];
  cluster = await SmallCluster.start({}, user('weir-router'), [...passwords, printed]);
  shard = await cluster.shard('desktop', 'desktop-1', user('weir-shard'));
  publisher = await cluster.publisher(user('weir-publisher'));
  await cluster.control({
    ...user('weir-control'),
    WEIR_MEASURE_EVERY_MS: '1000',
    WEIR_CLEAN_UP_AFTER_MS: '1000',
    WEIR_CONSOLE: 'true',
    WEIR_CONSOLE_PORT: '0',
    WEIR_CONSOLE_EVERY_MS: '500',
    WEIR_CONSOLE_TOKEN: 'a-token-of-this-test',
  });
  nats = await connectNats({
    servers: cluster.nats.url,
    user: 'publishers',
    pass: 'secret of publishers',
    // A refused publish is visible only in these status events.
    timeout: 1_000,
  });
  void (async () => {
    for await (const status of nats.status()) {
      if (status.type === 'error' && status.error instanceof PermissionViolationError)
        refused.push(status.error.subject);
    }
  })();
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

describe('with the permissions of docs/publishing.md', () => {
  it('all three lanes reach clients, by NATS, with an acknowledgement and by HTTP', async () => {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=lobby');
    await until(() => client.has('lobby'), 'the client is served');
    nats.publish('weir.state.lobby.plain', '1');
    await jetstream(nats).publish('weir.critical.lobby', '"kept"');
    nats.publish('weir.cosmetic.lobby', '"cheer"');
    const answer = await fetch(`${publisher.url}/v1/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ lane: 'state', channel: 'lobby', key: 'http', data: 2 }),
    });
    expect(answer.status).toBe(200);
    await until(() => client.state.get('plain') === '1' && client.state.get('http') === '2', 'the state');
    await until(() => client.of('critical').length === 1, 'the critical message');
    await until(() => client.of('cosmetic').length === 1, 'the cosmetic message');
    client.close();
    expect(refused).toEqual([]);
  });

  it('a deletion, a purge and an invalid message are handled by the services in charge', async () => {
    nats.publish('weir.state.lobby.plain', '');
    nats.publish('weir.state.lobby.bad', '{');
    await until(
      async () =>
        (await metric(shard, 'weir_shard_intake_rejected_total{lane="state",reason="notJson"}')) > 0,
      'it is rejected',
    );
    const control = cluster.running.find(({ name }) => name === 'control');
    if (control === undefined) throw new Error('there is no control');
    await until(
      async () => (await metric(control, 'weir_control_stream_fill_ratio{stream="state"}')) > 0,
      'control has measured',
    );
    expectSound(cluster.running);
  });

  it('the console has the figures of every service, and may ask for what it asks for', async () => {
    const control = cluster.running.find(({ name }) => name === 'control');
    const url = String(control?.url);
    await until(async () => {
      const view = (await (await fetch(`${url}/api/view`)).json()) as Record<string, { version?: string }[]>;
      return ['shards', 'routers', 'publishers'].every((of) => view[of]?.[0]?.version !== undefined);
    }, 'every service has told its figures');
    const act = async (body: unknown): Promise<{ readonly text?: string; readonly confirm?: string }> => {
      const headers = { 'content-type': 'application/json', authorization: 'Bearer a-token-of-this-test' };
      const response = await fetch(`${url}/api/act`, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await response.json()) as { text?: string; confirm?: string };
    };
    const { confirm } = await act({ act: 'rebalance' });
    expect(await act({ confirm })).toEqual({ text: 'Pool desktop has one shard alone.' });
    expect(JSON.stringify(control?.log)).not.toMatch(/permission/i);
  });

  it.each([
    'weir.ctl.figures',
    'weir.ctl.drain.desktop-1',
    'weir.ctl.rebalance',
    'weir.live.state.lobby.forged',
    'weir.live.critical.lobby',
    'weir.state.cleanup',
    'weir.state.$edge',
    'weir.ctl.beat.desktop.forged',
    'weir.ctl.shed.desktop-1',
    'weir.rejected',
    '$JS.API.STREAM.PURGE.WEIR_STATE',
  ])('a publisher cannot publish on %s', async (subject) => {
    nats.publish(subject, '1');
    await until(() => refused.includes(subject), 'it is refused');
  });

  it("a publisher cannot subscribe to the feed, and cannot use JetStream's API", async () => {
    const heard = nats.subscribe('weir.live.>', { callback: () => undefined });
    await until(() => refused.includes('weir.live.>'), 'it is refused');
    heard.unsubscribe();
    const manager = await jetstreamManager(nats, { checkAPI: false });
    await expect(manager.streams.delete('WEIR_STATE')).rejects.toThrow();
  });
});
