// Against a real HTTP server on loopback: what is fetched, how often, and what happens while it is away.
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { createKeySet } from './key-set.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function provider() {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const body = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one' }] });
  const asked: string[] = [];
  const answer = { status: 200, location: '', body, hangs: false };
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (answer.hangs) return;
    response.writeHead(answer.status, answer.location === '' ? {} : { location: answer.location });
    response.end(answer.body);
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const outcomes: string[] = [];
  const fetches: string[] = [];
  const time = { ms: 1_000_000 };
  const keys = createKeySet({
    url: `http://127.0.0.1:${port}/keys`,
    clock: { monotonicMs: () => time.ms },
    onOutcome: (outcome) => outcomes.push(outcome),
    onFetch: (outcome) => fetches.push(outcome),
  });
  const verify = async (kid = 'one'): Promise<string> => {
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(pair.privateKey);
    return jwtVerify(token, keys).then(
      () => 'verified',
      (error: { readonly code?: string }) => error.code ?? 'other',
    );
  };
  return { verify, asked, answer, outcomes, fetches, time, port };
}

describe('the key set', () => {
  it('is fetched once for many tokens', async () => {
    const { verify, asked } = await provider();
    const all = await Promise.all(Array.from({ length: 20 }, () => verify()));
    expect(new Set(all)).toEqual(new Set(['verified']));
    expect(asked).toEqual(['/keys']);
  });

  it('is not asked again at once for kids that it does not know', async () => {
    const { verify, asked, outcomes } = await provider();
    await verify();
    for (let i = 0; i < 20; i++) expect(await verify(`kid-${i}`)).toBe('ERR_JWKS_NO_MATCHING_KEY');
    expect(asked).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(20);
  });

  it('is asked again only after a while where it cannot be had', async () => {
    const { verify, asked, answer, outcomes, time } = await provider();
    answer.status = 500;
    expect(await verify()).toBe('KEYS_UNAVAILABLE');
    expect(await verify()).toBe('KEYS_UNAVAILABLE');
    expect(asked).toHaveLength(1);
    answer.status = 200;
    time.ms += 5_000;
    expect(await verify()).toBe('verified');
    expect(outcomes).toEqual(['unavailable', 'unavailable', 'found']);
  });

  it('asks an ill provider once a hold, whatever kids come, and serves known ones meanwhile', async () => {
    const { verify, asked, answer, time, fetches } = await provider();
    await verify();
    answer.status = 500;
    for (let round = 0; round < 4; round++) {
      time.ms += round === 0 ? 31_000 : 5_000;
      const kids = Array.from({ length: 30 }, (_, i) => `kid-${round}-${i}`);
      const together = await Promise.all(kids.map((kid) => verify(kid)));
      expect(new Set(together)).toEqual(new Set(['KEYS_UNAVAILABLE']));
      for (const kid of kids) await verify(kid);
      expect(await verify()).toBe('verified');
    }
    expect(asked).toHaveLength(5);
    expect(fetches).toEqual(['fetched', 'failed', 'failed', 'failed', 'failed']);
    answer.status = 200;
    time.ms += 5_000;
    expect(await verify('kid')).toBe('ERR_JWKS_NO_MATCHING_KEY');
    expect(await verify('kid')).toBe('ERR_JWKS_NO_MATCHING_KEY');
    expect(asked).toHaveLength(6);
  });

  it('is asked once a cool-down by a healthy provider, whatever kids come', async () => {
    const { verify, asked, time } = await provider();
    await verify();
    for (let round = 0; round < 3; round++) {
      time.ms += 30_000;
      await Promise.all(Array.from({ length: 30 }, (_, i) => verify(`kid-${i}`)));
      for (let i = 0; i < 10; i++) await verify(`kid-${i}`);
    }
    expect(asked).toHaveLength(4);
  });

  it('goes on with old keys for a day, and asks once a hold where they are older than ten minutes', async () => {
    const { verify, asked, answer, outcomes, time } = await provider();
    await verify();
    answer.status = 500;
    time.ms += 601_000;
    for (let i = 0; i < 10; i++) expect(await verify()).toBe('verified');
    expect(asked).toHaveLength(2);
    expect(outcomes.at(-1)).toBe('stale');
    time.ms += 24 * 3_600_000;
    expect(await verify()).toBe('KEYS_UNAVAILABLE');
  });

  it('keeps nobody waiting who has a known key while the provider accepts requests and answers none', async () => {
    const { verify, asked, answer, fetches, time } = await provider();
    await verify();
    answer.status = 500;
    time.ms += 601_000;
    await verify();
    answer.hangs = true;
    time.ms += 5_000;
    expect([await verify(), await verify()]).toEqual(['verified', 'verified']);
    expect(fetches).toEqual(['fetched', 'failed']);
    await expect.poll(() => asked.length).toBe(3);
  });

  it.each([
    ['larger than a key set is', `{"keys":[],"x":"${'y'.repeat(600_000)}"}`],
    ['no JSON', '<html>'],
    ['no key set', '{"keys":{}}'],
    ['nothing', ''],
  ])('that is %s counts as a failure', async (_what, body) => {
    const { verify, answer, fetches } = await provider();
    answer.body = body;
    expect([await verify(), await verify()]).toEqual(['KEYS_UNAVAILABLE', 'KEYS_UNAVAILABLE']);
    expect(fetches).toEqual(['failed']);
  });

  it('does not follow a redirect', async () => {
    const { verify, asked, answer, port } = await provider();
    answer.status = 302;
    answer.location = `http://127.0.0.1:${port}/elsewhere`;
    expect(await verify()).toBe('KEYS_UNAVAILABLE');
    expect(asked).toEqual(['/keys']);
  });
});
