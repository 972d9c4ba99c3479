// The classic token forgeries, at the router as user tokens and at a shard as tickets: each is refused, nothing is
// fetched, and the log does not grow.
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { expectSound } from '../../harness/oracle.ts';
import { RawClient, usualHeaders } from '../../harness/raw-client.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

/** Number of attempts with each forgery. */
const TIMES = scale(1, 50);

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ type: 'spki', format: 'pem' });
const der = publicKey.export({ type: 'spki', format: 'der' });
const secret = 'a secret of the tests, of 32 bytes or more';
const nowS = Math.floor(Date.now() / 1_000);

let cluster: SmallCluster;
let shard: Service;
/** A server for keys that no service may ask. */
let bait: Server;
let baitUrl: string;
let fetched = 0;

beforeAll(async () => {
  bait = createServer((_, response) => {
    fetched++;
    response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'test' }] }));
  });
  await new Promise<void>((resolve) => bait.listen(0, '127.0.0.1', resolve));
  baitUrl = `http://127.0.0.1:${(bait.address() as AddressInfo).port}/keys`;
  cluster = await SmallCluster.start(
    { WEIR_LOG_LEVEL: 'info' },
    { WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: secret, WEIR_JWT_AUDIENCE: 'weir' },
  );
  shard = await cluster.shard('desktop', 'desktop-1');
});

afterAll(async () => {
  await cluster.stop();
  bait.close();
});

const part = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token signed by HMAC with this key; `header` and `payload` are written unchanged. */
function forge(header: object, payload: object | string, key: string | Uint8Array): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

interface Kind {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly key: string | Uint8Array;
}

const userToken: Kind = {
  header: { alg: 'HS256', kid: 'test' },
  claims: { sub: 'me', aud: 'weir', channels: ['lobby'], exp: nowS + 600 },
  key: secret,
};

/** A valid ticket of the router, decoded: forgers know its format. */
async function ticketKind(): Promise<Kind> {
  const token = forge(userToken.header, userToken.claims, userToken.key);
  const visit = new RawClient(`${cluster.routerUrl}/v1/connect?channels=lobby&token=${token}`);
  await until(() => visit.of('redirect').length > 0, 'a redirect');
  visit.socket.destroy();
  const ticket = new URL(String(visit.of('redirect')[0]?.['url'])).searchParams.get('ticket') ?? '';
  const [header = '', claims = ''] = ticket.split('.');
  const parsed = (text: string): Readonly<Record<string, unknown>> =>
    JSON.parse(Buffer.from(text, 'base64url').toString());
  const [, key = ''] = cluster.ticketKeys.split(':');
  return { header: parsed(header), claims: parsed(claims), key: Buffer.from(key, 'base64url') };
}

/** Named forgeries; `fresh` makes unused claims, `own` signs tokens whose header brings a key. */
function classics(
  { header, claims, key }: Kind,
  fresh: () => object,
  own: string,
): readonly (readonly [string, string])[] {
  const none = `${part({ ...header, alg: 'none' })}.${part(fresh())}.`;
  const withHead = (more: object): string => forge({ ...header, ...more }, fresh(), key);
  const withClaims = (more: object): string => forge(header, { ...fresh(), ...more }, key);
  const jwk = { kty: 'oct', k: Buffer.from('my own key').toString('base64url') };
  return [
    ['none', none],
    [
      'NONE in other letters',
      none.replace(part({ ...header, alg: 'none' }), part({ ...header, alg: 'nOnE' })),
    ],
    ['the public key as PEM', forge(header, fresh(), String(pem))],
    ['the public key as DER', forge(header, fresh(), der)],
    ['a key of its own, embedded', forge({ ...header, jwk }, fresh(), 'my own key')],
    ['another embedded', forge({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, fresh(), own)],
    ['jku', forge({ ...header, jku: baitUrl }, fresh(), own)],
    ['x5u', forge({ ...header, x5u: baitUrl }, fresh(), own)],
    ['an unknown crit', withHead({ crit: ['x'], x: 1 })],
    ['a kid that is a path', withHead({ kid: '../../../../dev/null' })],
    ['a kid of 10 KB', withHead({ kid: 'k'.repeat(10_240) })],
    ['no exp', withClaims({ exp: undefined })],
    ['exp as text', withClaims({ exp: String(nowS + 600) })],
    ['exp 1e400', forge(header, JSON.stringify(fresh()).replace(/"exp":\d+/, '"exp":1e400'), key)],
    ['a wrong aud', withClaims({ aud: 'others' })],
    ['another signature', forge(header, claims, `${key} and more`)],
  ];
}

const counted = async (): Promise<readonly number[]> => [
  await metric(cluster.router, 'weir_router_refusals_total{reason="token"}'),
  (await metric(shard, 'weir_shard_admissions_total{outcome="forged"}')) +
    (await metric(shard, 'weir_shard_admissions_total{outcome="wrongPool"}')),
];

it('are all refused, without a request and without a log line (case G5)', async () => {
  const ticket = await ticketKind();
  const fresh = (): object => {
    const iat = Math.floor(Date.now() / 1_000);
    return { ...ticket.claims, jti: randomBytes(12).toString('base64url'), iat, exp: iat + 30 };
  };
  // Proof that the forger works: a correct ticket opens a stream.
  const right = BareClient.open(`${shard.url}/v1/stream?ticket=${forge(ticket.header, fresh(), ticket.key)}`);
  await until(() => right.of('welcome').length > 0, 'a right ticket opens a stream');
  right.close();

  const asTokens: (readonly [string, string])[] = [
    ...classics(userToken, () => userToken.claims, secret),
    ['a ticket', forge(ticket.header, fresh(), ticket.key)],
    ['a ticket signed with the secret of users', forge(ticket.header, fresh(), secret)],
  ];
  // New tickets in each round: a ticket is valid for half a minute.
  const asTickets = (): (readonly [string, string])[] => [
    // Signed with the real key: for a ticket that is no fault, since the shard ignores such headers.
    ...classics(ticket, fresh, 'my own key'),
    ['a user token', forge(userToken.header, userToken.claims, userToken.key)],
    ['a user token signed with our key', forge(userToken.header, userToken.claims, ticket.key)],
  ];
  const lines = cluster.router.log.length + shard.log.length;
  const [tokensBefore = 0, ticketsBefore = 0] = await counted();
  const plain = usualHeaders.filter((line) => !line.startsWith('Sec-WebSocket-Protocol'));
  for (let time = 0; time < TIMES; time++) {
    for (const [name, token] of asTokens) {
      const url = `${cluster.routerUrl}/v1/connect?channels=lobby&token=${token}`;
      const [bare, offered] = [new RawClient(url, { headers: plain }), new RawClient(url)];
      await until(() => bare.status > 0 && offered.closeCode !== undefined, `${name} is refused`);
      expect([name, bare.status, offered.closeCode]).toEqual([name, 401, 4500]);
      expect(offered.of('redirect')).toEqual([]);
      for (const client of [bare, offered]) client.socket.destroy();
    }
    for (const [name, token] of asTickets()) {
      const client = new RawClient(`${shard.url}/v1/stream?ticket=${token}`);
      // A request line beyond the shard's limits is refused by HTTP, before the ticket is read.
      const tooLarge = token.length > 8_192;
      await until(() => client.closeCode !== undefined || client.status > 101, `${name} is refused`);
      expect([name, client.status, client.closeCode]).toEqual(
        tooLarge ? [name, 414, undefined] : [name, 101, 4500],
      );
      expect(client.of('welcome')).toEqual([]);
      client.socket.destroy();
    }
  }
  const [tokens = 0, tickets = 0] = await counted();
  expect(tokens - tokensBefore).toBe(asTokens.length * 2 * TIMES);
  expect(tickets - ticketsBefore).toBe((asTickets().length - 1) * TIMES);
  expect(fetched).toBe(0);
  expect(cluster.router.log.length + shard.log.length - lines).toBeLessThanOrEqual(2);
  expectSound(cluster.running);
  seen('G5', {
    'forged tokens refused': tokens - tokensBefore,
    'forged tickets refused': tickets - ticketsBefore,
    'requests made': fetched,
  });
});
