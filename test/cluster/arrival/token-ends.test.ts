// Tokens that expire while their connection is open: the SDK comes with a fresh one before, without a break; a client
// that does not is closed with 4010; the URL of a move outlives no token.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** Long enough for a busy machine to connect. */
const SECONDS = 6;

const closes = async (): Promise<number> => {
  const [shard] = cluster.running.filter(({ name }) => name === 'shard');
  if (shard === undefined) throw new Error('there is no shard');
  return metric(shard, 'weir_shard_closes_total{cause="tokenExpired"}');
};

// Side by side: each waits for the end of its token.
describe.concurrent('a token that expires', () => {
  it('the SDK renews it without a break, repeatedly', async () => {
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
  }, 60_000);

  it('a client that does not renew it is told when it expires, and is closed then', async () => {
    const startMs = performance.now();
    const client = await BareClient.connect(
      cluster.routerUrl,
      `channels=lobby&token=${tokenFor(SECONDS, ['lobby'])}`,
    );
    await until(() => client.closed !== undefined, 'it is closed', SECONDS * 1_000 + LATE_MS + 5_000);
    const livedMs = performance.now() - startMs;
    expect(client.closed).toBe(4010);
    const expiresInMs = Number(client.of('welcome')[0]?.message['expiresInMs']);
    expect(expiresInMs).toBeGreaterThan(0);
    expect(expiresInMs).toBeLessThanOrEqual(SECONDS * 1_000);
    expect(livedMs).toBeGreaterThan((SECONDS - 1) * 1_000);
  }, 60_000);

  it('the SDK with a text for a token ends with a word when it is over', async () => {
    const weir = connect({
      url: cluster.routerUrl,
      channels: ['lobby'],
      token: tokenFor(SECONDS, ['lobby']),
    });
    const errors: unknown[] = [];
    weir.on('error', (error) => errors.push(error));
    await until(() => weir.status === 'open', 'it is open');
    await until(() => weir.status === 'closed', 'it is over', SECONDS * 1_000 + 2 * LATE_MS + 5_000);
    expect(errors).toMatchObject([{ code: 'NOT_AUTHORISED', closeCode: 4500 }]);
  }, 60_000);
});

it('of two clients that did not renew their tokens, the shard counts two closes, and none of the client that did', async () => {
  expect(await closes()).toBe(2);
});
