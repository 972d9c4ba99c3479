import type { Hint } from '@weir/protocol';
import { issueHint, issueTicket, parseTicketKeys } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { admit } from './admit.ts';
import type { CheckToken } from './user-token.ts';

const nowMs = 1_700_000_000_000;
const clock = { wallMs: () => nowMs };
const keys = parseTicketKeys(`k:${Buffer.alloc(32, 1).toString('base64url')}`);
const [key] = keys;
if (key === undefined) throw new Error('no key');
const hintOf = (allow: readonly string[], atMs = nowMs, more: Partial<Hint> = {}): Promise<string> => {
  const hint: Hint = { id: 'h', pool: 'desktop', allow, avoid: 'd1', ...more };
  return issueHint(hint, { key, nowMs: atMs, ttlMs: 60_000 });
};
const check: CheckToken = (token) => {
  if (token === 'away') return Promise.resolve({ problem: 'unavailable', message: 'cannot be checked' });
  return Promise.resolve(
    token === 'good'
      ? { allow: ['lobby', 'sports.*'], expiresS: 1_700_000_900 }
      : { problem: 'refused', message: 'no' },
  );
};
const network = 'n1';
const isFrom = (hint: Hint, from: string): boolean => (hint.network ?? from) === from;
const jwt = { check, keys, clock, isFrom, useUp: () => true };
const open = { ...jwt, check: undefined };

describe('admission without tokens', () => {
  it('allows everything, and minds no token', async () => {
    const admitted = await admit({ network, channels: ['a'], token: 'whatever' }, open);
    expect(admitted).toEqual({
      allow: ['>'],
      granted: ['a'],
      denied: [],
      hint: { is: 'none' },
      tokenExpiresS: undefined,
    });
  });

  it('takes a hint for what it says of the class, and minds a bad one as little', async () => {
    expect(await admit({ network, channels: ['a'], hint: await hintOf(['b']) }, open)).toMatchObject({
      granted: ['a'],
      hint: { is: 'valid', hint: { pool: 'desktop', avoid: 'd1' } },
    });
    expect(await admit({ network, channels: ['a'], hint: 'rubbish' }, open)).toMatchObject({
      hint: { is: 'refused' },
    });
    const old = await hintOf(['>'], nowMs - 600_000);
    expect(await admit({ network, channels: ['a'], hint: old }, open)).toMatchObject({
      hint: { is: 'expired' },
    });
  });
});

describe('admission with tokens', () => {
  it('grants what the token covers and remembers what it does not', async () => {
    const admitted = await admit({ network, channels: ['lobby', 'vip', 'sports.1'], token: 'good' }, jwt);
    expect(admitted).toMatchObject({
      granted: ['lobby', 'sports.1'],
      denied: ['vip'],
      tokenExpiresS: 1_700_000_900,
    });
  });

  it.each([
    ['no token', {}],
    ['a bad token', { token: 'bad' }],
    ['only channels that are not allowed', { token: 'good', channels: ['vip'] }],
    ['a hint that is none', { hint: 'rubbish' }],
  ])('refuses %s for good', async (_, shown) => {
    expect(await admit({ network, channels: ['lobby'], ...shown }, jwt)).toMatchObject({
      refusal: { reason: 'token', status: 401, close: 'notAuthorised' },
    });
  });

  it('asks to come again while tokens cannot be checked', async () => {
    expect(await admit({ network, channels: ['lobby'], token: 'away' }, jwt)).toMatchObject({
      refusal: { reason: 'keys', status: 503, close: 'noCapacity' },
    });
  });

  it("takes a shard's hint instead of a token", async () => {
    expect(await admit({ network, channels: ['vip', 'x'], hint: await hintOf(['vip']) }, jwt)).toMatchObject({
      allow: ['vip'],
      granted: ['vip'],
      denied: ['x'],
    });
  });

  it.each<[string, Partial<Hint>, string]>([
    ['from another network', { network: 'n2' }, 'the hint is for another network'],
    ['after the token', { tokenExpiresS: nowMs / 1_000 - 31 }, 'the token has expired'],
  ])("takes no shard's hint %s, and asks for a token", async (_, more, why) => {
    const hint = await hintOf(['vip'], nowMs, more);
    expect(await admit({ network, channels: ['vip'], hint }, jwt)).toMatchObject({
      refusal: { status: 401, close: 'ticketRefused', message: `${why}; come with a token` },
    });
    expect(await admit({ network, channels: ['lobby'], token: 'good', hint }, jwt)).toMatchObject({
      granted: ['lobby'],
      hint: { is: 'valid' },
    });
  });

  it("takes a shard's hint once, where it stands for the token, and passes on how long that is good", async () => {
    const used: string[] = [];
    const once = { ...jwt, useUp: ({ id }: Hint) => !used.includes(id) && used.push(id) > 0 };
    const tokenExpiresS = nowMs / 1_000 + 5;
    const hint = await hintOf(['vip'], nowMs, { tokenExpiresS, network });
    const shown = { network, channels: ['vip', 'lobby'], hint };
    expect(await admit({ ...shown, token: 'good' }, once)).toMatchObject({ granted: ['lobby'] });
    expect(await admit({ ...shown, network: 'n2' }, once)).toMatchObject({ refusal: { status: 401 } });
    expect(await admit(shown, once)).toMatchObject({ granted: ['vip'], tokenExpiresS });
    expect(await admit(shown, once)).toMatchObject({
      refusal: { close: 'ticketRefused', message: 'the hint was used before; come with a token' },
    });
  });

  it("does not take the router's own hint, which allows nothing", async () => {
    expect(await admit({ network, channels: ['lobby'], hint: await hintOf([]) }, jwt)).toMatchObject({
      refusal: { status: 401 },
    });
  });

  it('never lets a hint widen a token', async () => {
    const shown = { network, channels: ['lobby', 'vip'], token: 'good', hint: await hintOf(['>']) };
    expect(await admit(shown, jwt)).toMatchObject({ granted: ['lobby'], denied: ['vip'] });
    expect(await admit({ ...shown, token: 'bad' }, jwt)).toMatchObject({ refusal: { status: 401 } });
  });

  it('sends a client with an expired hint back for a token, not away for good', async () => {
    const hint = await hintOf(['>'], nowMs - 600_000);
    expect(await admit({ network, channels: ['lobby'], hint }, jwt)).toMatchObject({
      refusal: { status: 401, close: 'ticketRefused' },
    });
  });

  it('takes no ticket for a hint (case G5)', async () => {
    const ticket = { id: 't', pool: 'desktop', channels: ['a'], allow: ['>'], denied: [], tls: false };
    const hint = await issueTicket(ticket, { key, nowMs, ttlMs: 30_000 });
    expect(await admit({ network, channels: ['lobby'], hint }, jwt)).toMatchObject({
      refusal: { status: 401 },
    });
  });
});
