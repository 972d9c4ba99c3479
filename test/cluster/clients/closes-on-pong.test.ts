// Clients whose library closes with 1002 at an unsolicited Pong: the documented way to connect works at the first try.
import { jetstream } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectSound } from '../../harness/oracle.ts';
import { opcodes, RawClient } from '../../harness/raw-client.ts';
import { scale, seen } from '../../harness/scale.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const TRIES = scale(10, 100);

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await SmallCluster.start({ WEIR_LOG_LEVEL: 'info' });
  await cluster.shard('desktop', 'desktop-1');
  await cluster.shard('mobile', 'mobile-1');
});

afterAll(() => cluster.stop());

/** Opens a URL with a client that closes at the first unsolicited Pong. */
async function strict(url: string, isDone: (client: RawClient) => boolean): Promise<RawClient> {
  const client = new RawClient(url, { closesOnPong: true });
  const sawPong = (): boolean => client.frames.some(({ opcode }) => opcode === opcodes.pong);
  await until(() => sawPong() || isDone(client), 'a Pong, or what it came for');
  if (sawPong()) await until(() => client.ended, 'it is let go');
  return client;
}

const redirected = (client: RawClient): boolean => client.of('redirect').length > 0;

it('are counted by name, and served at the first try with class=mobile (case C2)', async () => {
  const connectUrl = `${cluster.routerUrl}/v1/connect?channels=strict`;
  const lines = cluster.router.log.length;
  for (let i = 0; i < TRIES; i++) {
    const client = await strict(connectUrl, redirected);
    expect(client.of('redirect')).toEqual([]);
    client.socket.destroy();
  }
  const counted = (): Promise<number> =>
    metric(cluster.router, 'weir_router_probes_total{outcome="closedOnPad"}');
  await until(async () => (await counted()) === TRIES, 'all are counted by name');
  expect(cluster.router.log.length - lines).toBeLessThanOrEqual(1);

  const visit = await strict(`${connectUrl}&class=mobile`, redirected);
  expect(visit.of('redirect')[0]).toMatchObject({ pool: 'mobile' });
  const stream = await strict(
    String(visit.of('redirect')[0]?.['url']),
    (client) => client.of('state').length > 0,
  );
  const nats = await connectNats({ servers: cluster.nats.url });
  for (let i = 0; i < 20; i++) await jetstream(nats).publish('weir.critical.strict', String(i));
  await nats.close();
  await until(() => stream.of('critical').length === 20, 'it gets what is published');
  expect(stream.frames.some(({ opcode }) => opcode === opcodes.pong)).toBe(false);
  expect(await counted()).toBe(TRIES);
  for (const client of [visit, stream]) client.socket.destroy();
  expectSound(cluster.running);
  seen('C2', { tries: TRIES, 'counted by name': TRIES, 'tries with class=mobile': 1 });
});
