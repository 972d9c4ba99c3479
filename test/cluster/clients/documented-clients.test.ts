// The programs of docs/raw-websocket.md exactly as printed, on a real cluster, through one scenario. Confirms that the
// scripted cluster of examples.test.ts speaks like a real router and shard.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { end } from '../../harness/end.ts';
import type { Program } from '../../harness/programs/example-client.ts';
import { ExampleClient, programs, whyNot } from '../../harness/programs/example-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const running = programs.filter((program) => whyNot(program) === undefined);
const missing = programs.flatMap((program) => {
  const reason = whyNot(program);
  return reason === undefined ? [] : [`${program} (skipped: ${reason})`];
});

describe('the programs of docs/raw-websocket.md on a real cluster', () => {
  let cluster: SmallCluster;
  let nats: NatsConnection;
  let shard: Service;
  const clients = new Map<Program, ExampleClient>();
  let sent = 0;

  beforeAll(async () => {
    cluster = await SmallCluster.start();
    shard = await cluster.shard('desktop', 'desktop-1', { WEIR_DRAIN_WITHIN_MS: '2000' });
    nats = await connectNats({ servers: cluster.nats.url });
    for (let i = 0; i < 40; i++)
      nats.publish(`weir.state.lobby.slot-${i}`, JSON.stringify('x'.repeat(2_000)));
    nats.publish('weir.state.lobby.__proto__', '{"on":true}');
    await nats.flush();
    for (const program of running)
      clients.set(program, await ExampleClient.start(program, cluster.routerUrl));
  });
  afterAll(async () => {
    for (const client of clients.values()) await client.stop();
    await nats?.close();
    await cluster?.stop();
  });

  /** Waits until it holds for every client; names the clients for which it does not. */
  async function all(holds: (client: ExampleClient) => boolean, what: string): Promise<void> {
    await until(() => [...clients.values()].every(holds), what, 60_000).catch((error: unknown) => {
      const bad = [...clients].filter(([, client]) => !holds(client));
      const told = bad.map(
        ([name, { errors, said }]) => `${name}: ${errors} ${JSON.stringify(said.slice(-3))}`,
      );
      throw new Error(`${what}\n${told.join('\n').slice(0, 4_000)}`, { cause: error });
    });
  }

  /** Fails unless each client has every critical message, once and in order. */
  async function haveAll(): Promise<void> {
    await all(
      (client) => client.said.findLast(({ type }) => type === 'critical')?.data === sent - 1,
      'the last one',
    );
    for (const [program, { said }] of clients) {
      const got = said.filter(({ type }) => type === 'critical').map(({ data }) => data);
      expect(got, program).toEqual(Array.from({ length: sent }, (_, i) => i));
      expect(
        said.filter(({ type }) => type === 'gap'),
        program,
      ).toEqual([]);
    }
  }

  /** Waits until this shard serves every client. */
  async function haveComeTo({ admin }: Service): Promise<void> {
    const serves = async (): Promise<boolean> => {
      const body: unknown = await (await fetch(`${admin}/readyz`)).json();
      return JSON.stringify(body).includes(`"connections":${clients.size}`);
    };
    await until(serves, `all are at ${admin}`, 90_000);
  }

  function hit(): void {
    nats.publish('weir.critical.lobby', String(sent++));
    nats.publish('weir.state.lobby.sent', String(sent));
  }

  it.skipIf(missing.length > 0)(`can all run here${missing.map((one) => `; ${one}`).join('')}`, () => {
    expect(running).toEqual(programs);
  });

  it('are redirected, get a snapshot of several frames, and later changes', async () => {
    await all((client) => Object.keys(client.lobby ?? {}).length === 41, 'the snapshot');
    for (let i = 1; i < 40; i++) nats.publish(`weir.state.lobby.slot-${i}`, '');
    nats.publish('weir.state.lobby.slot-0', '1.5');
    for (let i = 0; i < 10; i++) hit();
    const expected = { 'slot-0': 1.5, ['__proto__']: { on: true }, sent: 10 };
    await all(
      (client) => JSON.stringify(sorted(client.lobby)) === JSON.stringify(sorted(expected)),
      'the state',
    );
    await haveAll();
  });

  it('lose nothing and repeat nothing when their shard stops', async () => {
    const next = await cluster.shard('desktop', 'desktop-2');
    const feed = setInterval(hit, 25);
    await end(shard.process, 'SIGTERM');
    await haveComeTo(next).finally(() => clearInterval(feed));
    shard = next;
    await haveAll();
    await all((client) => client.lobby?.['sent'] === sent, 'the newest state');
  });

  it('reconnect when their shard is killed', async () => {
    const next = await cluster.shard('desktop', 'desktop-3');
    const feed = setInterval(hit, 25);
    await end(shard.process, 'SIGKILL');
    await haveComeTo(next).finally(() => clearInterval(feed));
    await haveAll();
    await all((client) => client.lobby?.['sent'] === sent, 'the newest state');
    for (const [program, { errors }] of clients) expect(errors, program).toBe('');
  });
});

function sorted(values: object | undefined): unknown {
  return Object.entries(values ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
