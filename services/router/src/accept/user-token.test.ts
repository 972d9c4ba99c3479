import { createHmac, generateKeyPairSync } from 'node:crypto';
import { issueHint, issueTicket } from '@weir/protocol';
import fc from 'fast-check';
import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CheckToken, KeySource } from './user-token.ts';
import { createTokenCheck, divide } from './user-token.ts';

const nowMs = 1_700_000_000_000;
const nowS = nowMs / 1000;
const secret = new TextEncoder().encode('a shared secret of at least 32 bytes!');
const refused = { problem: 'refused' };

function checkWith(source: KeySource, more: { defaultChannels?: readonly string[] } = {}): CheckToken {
  return createTokenCheck({
    source,
    audience: 'weir',
    issuer: 'https://id.example',
    claim: 'channels',
    defaultChannels: more.defaultChannels ?? [],
    clock: { wallMs: () => nowMs },
  });
}

const claims = { channels: ['lobby', 'sports.*'], aud: 'weir', iss: 'https://id.example', exp: nowS + 60 };

/** Signs anything, also what no library would. */
function forge(header: unknown, payload: unknown, key: string | Uint8Array = secret): string {
  const part = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
const header = { alg: 'HS256' };

describe('a user token with a shared secret', () => {
  const check = checkWith({ kind: 'secret', secret });

  it('allows the patterns of its claim', async () => {
    expect(await check(forge(header, claims))).toEqual({
      allow: ['lobby', 'sports.*'],
      expiresS: claims.exp,
    });
  });

  it('allows what is configured where it has no such claim, and nothing by default', async () => {
    const { channels: _, ...bare } = claims;
    expect(await check(forge(header, bare))).toMatchObject({ allow: [] });
    const lenient = checkWith({ kind: 'secret', secret }, { defaultChannels: ['lobby'] });
    expect(await lenient(forge(header, bare))).toMatchObject({ allow: ['lobby'] });
  });

  it('may be a few seconds late', async () => {
    expect(await check(forge(header, { ...claims, exp: nowS - 3 }))).toHaveProperty('allow');
    expect(await check(forge(header, { ...claims, exp: nowS - 10 }))).toMatchObject(refused);
  });

  it.each([
    ['no algorithm', { alg: 'none' }, claims],
    ['an algorithm in other letters', { alg: 'hs256' }, claims],
    ['an asymmetric algorithm', { alg: 'RS256' }, claims],
    ['an embedded key', { ...header, jwk: { kty: 'oct', k: 'AAAA' } }, claims],
    ['a key elsewhere', { ...header, jku: 'https://evil.test/keys' }, claims],
    ['a certificate elsewhere', { ...header, x5u: 'https://evil.test/cert' }, claims],
    ['an unknown critical header', { ...header, crit: ['x'], x: 1 }, claims],
    ['a kid that is a path', { ...header, kid: '../../../dev/null' }, claims],
    ['a kid that is an absolute path', { ...header, kid: '/etc/passwd' }, claims],
    ['a kid that is no text', { ...header, kid: 7 }, claims],
    ['a kid of 300 characters', { ...header, kid: 'k'.repeat(300) }, claims],
    ['the type of a ticket', { ...header, typ: 'weir-ticket+jwt' }, claims],
    ['the type of a hint', { ...header, typ: 'application/WEIR-hint+jwt' }, claims],
    ['no expiry', header, { ...claims, exp: undefined }],
    ['an expiry as text', header, { ...claims, exp: '9999999999' }],
    ['an expiry beyond all time', header, JSON.stringify(claims).replace(`${claims.exp}`, '1e400')],
    ['an expiry beyond any calendar', header, { ...claims, exp: 1e300 }],
    ['a beginning in the future', header, { ...claims, nbf: nowS + 60 }],
    ['another audience', header, { ...claims, aud: 'other' }],
    ['no audience', header, { ...claims, aud: undefined }],
    ['another issuer', header, { ...claims, iss: 'https://evil.test' }],
    ['channels as text', header, { ...claims, channels: 'lobby' }],
    ['channels that are no patterns', header, { ...claims, channels: ['lobby', 'a b'] }],
    ['channels that are no text', header, { ...claims, channels: [1] }],
    ['a payload that is no object', header, '[]'],
    ['a payload that is no JSON', header, '{'],
  ])('is refused with %s (case G5)', async (_, head, payload) => {
    expect(await check(forge(head, payload))).toMatchObject(refused);
  });

  it('is refused where its kid alone has 10 KB', async () => {
    expect(await check(forge({ ...header, kid: 'k'.repeat(10_240) }, claims))).toMatchObject(refused);
  });

  it('is refused where somebody else signed it, or nobody', async () => {
    const good = forge(header, claims);
    expect(await check(forge(header, claims, 'another secret'))).toMatchObject(refused);
    expect(await check(`${good.slice(0, good.lastIndexOf('.'))}.`)).toMatchObject(refused);
  });

  it('is refused where it is a ticket or a hint, even signed with the same key', async () => {
    const signing = { key: { id: 'k', secret }, nowMs, ttlMs: 30_000 };
    const ticket = { id: 't', pool: 'weir', channels: ['a'], allow: ['>'], denied: [], tls: false };
    expect(await check(await issueTicket(ticket, signing))).toMatchObject(refused);
    expect(await check(await issueHint({ id: 'h', pool: 'weir', allow: ['>'] }, signing))).toMatchObject(
      refused,
    );
  });

  it('never makes the check throw, and is never repeated in the answer', async () => {
    const good = forge(header, claims);
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 40 }), fc.nat(good.length - 1), async (noise, at) => {
        const verdict = await check(good.slice(0, at) + noise + good.slice(at + 1));
        if ('message' in verdict) expect(verdict.message).not.toContain(good.slice(0, 20));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a user token with a set of public keys', () => {
  let pair: Awaited<ReturnType<typeof generateKeyPair>>;
  let key: JWTVerifyGetKey;
  let check: CheckToken;
  let spki: string;
  beforeAll(async () => {
    pair = await generateKeyPair('ES256', { extractable: true });
    spki = await exportSPKI(pair.publicKey);
    key = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }] });
    check = checkWith({ kind: 'jwks', key });
  });
  const signed = (kid: string): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(pair.privateKey);

  it('is accepted', async () => {
    expect(await check(await signed('one'))).toMatchObject({ allow: claims.channels });
  });

  it('is refused with an unknown kid', async () => {
    expect(await check(await signed('two'))).toMatchObject(refused);
    expect(await check(await signed('../one'))).toMatchObject(refused);
  });

  it('is refused where the public key was used as a shared secret, as PEM or as DER (case G5)', async () => {
    const der = Buffer.from(spki.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    for (const material of [spki, spki.trim(), new Uint8Array(der)]) {
      expect(await check(forge({ alg: 'HS256', kid: 'one' }, claims, material))).toMatchObject(refused);
    }
  });

  it('is refused where it brings its own key along', async () => {
    const own = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(own.publicKey);
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'one', jwk })
      .sign(own.privateKey);
    expect(await check(token)).toMatchObject(refused);
  });
});

it('a user token is refused where its key in the set is too short, or damaged', async () => {
  const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({
    format: 'jwk',
  });
  const keys = [
    { kty: 'RSA', kid: 'short', n, e },
    { kty: 'EC', kid: 'damaged', crv: 'P-256', x: 'AA', y: 'AA' },
  ];
  const check = checkWith({ kind: 'jwks', key: createLocalJWKSet({ keys }) });
  for (const header of [
    { alg: 'RS256', kid: 'short' },
    { alg: 'ES256', kid: 'damaged' },
  ])
    expect(await check(forge(header, claims))).toMatchObject(refused);
});

describe('the division of channels', () => {
  it('keeps the order', () => {
    expect(divide(['b', 'a.1', 'c', 'a.1.2'], ['a.*', 'c', 'b'])).toEqual({
      granted: ['b', 'a.1', 'c'],
      denied: ['a.1.2'],
    });
  });
});
