// Tokens that expire while their connection is open: the SDK comes with a fresh one before, without a break; a client
// that does not is closed with 4010; the URL of a move outlives no token.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { expectSound } from '../../harness/oracle.ts';
import { elapsed, metric, SmallCluster, until } from '../../harness/small-cluster.ts';
import { TAKES_TOKENS, tokenFor } from '../../harness/user-tokens.ts';

/** A router takes a token for so long after its end; a shard looks a few times a second. */
const LATE_MS = 7_500;

let cluster: SmallCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start({}, TAKES_TOKENS);
  await cluster.shard('desktop', 'desktop-1');
  nats = await connectNats({ servers: cluster.nats.url });
  nats.publish('weir.state.lobby.k', '1');
});

afterAll(async () => {
  expectSound(cluster.running);
  await nats.close();
  await cluster.stop();
});

const closes = async (): Promise<number> => {
  const [shard] = cluster.running.filter(({ name }) => name === 'shard');
  if (shard === undefined) throw new Error('there is no shard');
  return metric(shard, 'weir_shard_closes_total{cause="tokenExpired"}');
};

it('the SDK renews it without a break, repeatedly', async () => {
  const before = await closes();
  let asked = 0;
  const seen: unknown[] = [];
  const token = (): string => {
    asked++;
    return tokenFor(9, ['lobby']);
  };
  const weir = connect({ url: cluster.routerUrl, channels: ['lobby'], token });
  for (const name of ['status', 'retry', 'error', 'close'] as const)
    weir.on(name, (event) => seen.push(event));
  const ids: number[] = [];
  weir.channel('lobby').on('critical', ({ data }) => ids.push(Number(data)));
  weir.channel('lobby').on('gap', (event) => seen.push(event));
  await until(() => weir.status === 'open', 'it is open');
  // Longer than the first two tokens are valid, with any clock.
  for (let n = 0; asked < 4; n++) {
    nats.publish('weir.critical.lobby', String(n));
    await until(() => ids.at(-1) === n, `message ${n}`);
    await elapsed(100);
  }
  expect(seen).toEqual(['open']);
  expect(ids).toEqual(ids.map((_, n) => n));
  weir.close();
  expect(await closes()).toBe(before);
}, 60_000);

it('a client that does not renew it is told when it expires, and is closed then', async () => {
  const before = await closes();
  const startMs = performance.now();
  const client = await BareClient.connect(
    cluster.routerUrl,
    `channels=lobby&token=${tokenFor(3, ['lobby'])}`,
  );
  await until(() => client.closed !== undefined, 'it is closed', 3_000 + LATE_MS + 5_000);
  const livedMs = performance.now() - startMs;
  expect(client.closed).toBe(4010);
  const expiresInMs = Number(client.of('welcome')[0]?.message['expiresInMs']);
  expect(expiresInMs).toBeGreaterThan(0);
  expect(expiresInMs).toBeLessThanOrEqual(3_000);
  expect(livedMs).toBeGreaterThan(2_000);
  expect(await closes()).toBe(before + 1);
}, 60_000);

it('the SDK with a text for a token ends with a word when it is over', async () => {
  const weir = connect({ url: cluster.routerUrl, channels: ['lobby'], token: tokenFor(2, ['lobby']) });
  const errors: unknown[] = [];
  weir.on('error', (error) => errors.push(error));
  await until(() => weir.status === 'open', 'it is open');
  await until(() => weir.status === 'closed', 'it is over', 3_000 + 2 * LATE_MS);
  expect(errors).toMatchObject([{ code: 'NOT_AUTHORISED', closeCode: 4500 }]);
}, 60_000);
