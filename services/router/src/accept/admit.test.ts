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
const hintOf = (allow: readonly string[], atMs = nowMs): Promise<string> => {
  const hint: Hint = { id: 'h', pool: 'desktop', allow, avoid: 'd1' };
  return issueHint(hint, { key, nowMs: atMs, ttlMs: 60_000 });
};
const check: CheckToken = (token) => {
  if (token === 'away') return Promise.resolve({ problem: 'unavailable', message: 'cannot be checked' });
  return Promise.resolve(
    token === 'good' ? { allow: ['lobby', 'sports.*'] } : { problem: 'refused', message: 'no' },
  );
};
const jwt = { check, keys, clock };
const open = { check: undefined, keys, clock };

describe('admission without tokens', () => {
  it('allows everything, and minds no token', async () => {
    const admitted = await admit({ channels: ['a'], token: 'whatever' }, open);
    expect(admitted).toEqual({ allow: ['>'], granted: ['a'], denied: [], hint: { is: 'none' } });
  });

  it('takes a hint for what it says of the class, and minds a bad one as little', async () => {
    expect(await admit({ channels: ['a'], hint: await hintOf(['b']) }, open)).toMatchObject({
      granted: ['a'],
      hint: { is: 'valid', hint: { pool: 'desktop', avoid: 'd1' } },
    });
    expect(await admit({ channels: ['a'], hint: 'rubbish' }, open)).toMatchObject({
      hint: { is: 'refused' },
    });
    const old = await hintOf(['>'], nowMs - 600_000);
    expect(await admit({ channels: ['a'], hint: old }, open)).toMatchObject({ hint: { is: 'expired' } });
  });
});

describe('admission with tokens', () => {
  it('grants what the token covers and remembers what it does not', async () => {
    const admitted = await admit({ channels: ['lobby', 'vip', 'sports.1'], token: 'good' }, jwt);
    expect(admitted).toMatchObject({ granted: ['lobby', 'sports.1'], denied: ['vip'] });
  });

  it.each([
    ['no token', {}],
    ['a bad token', { token: 'bad' }],
    ['only channels that are not allowed', { token: 'good', channels: ['vip'] }],
    ['a hint that is none', { hint: 'rubbish' }],
  ])('refuses %s for good', async (_, shown) => {
    expect(await admit({ channels: ['lobby'], ...shown }, jwt)).toMatchObject({
      refusal: { reason: 'token', status: 401, close: 'notAuthorised' },
    });
  });

  it('asks to come again while tokens cannot be checked', async () => {
    expect(await admit({ channels: ['lobby'], token: 'away' }, jwt)).toMatchObject({
      refusal: { reason: 'keys', status: 503, close: 'noCapacity' },
    });
  });

  it("takes a shard's hint instead of a token", async () => {
    expect(await admit({ channels: ['vip', 'x'], hint: await hintOf(['vip']) }, jwt)).toMatchObject({
      allow: ['vip'],
      granted: ['vip'],
      denied: ['x'],
    });
  });

  it("does not take the router's own hint, which allows nothing", async () => {
    expect(await admit({ channels: ['lobby'], hint: await hintOf([]) }, jwt)).toMatchObject({
      refusal: { status: 401 },
    });
  });

  it('never lets a hint widen a token', async () => {
    const shown = { channels: ['lobby', 'vip'], token: 'good', hint: await hintOf(['>']) };
    expect(await admit(shown, jwt)).toMatchObject({ granted: ['lobby'], denied: ['vip'] });
    expect(await admit({ ...shown, token: 'bad' }, jwt)).toMatchObject({ refusal: { status: 401 } });
  });

  it('sends a client with an expired hint back for a token, not away for good', async () => {
    const hint = await hintOf(['>'], nowMs - 600_000);
    expect(await admit({ channels: ['lobby'], hint }, jwt)).toMatchObject({
      refusal: { status: 401, close: 'ticketRefused' },
    });
  });

  it('takes no ticket for a hint (case G5)', async () => {
    const ticket = { id: 't', pool: 'desktop', channels: ['a'], allow: ['>'], denied: [], tls: false };
    const hint = await issueTicket(ticket, { key, nowMs, ttlMs: 30_000 });
    expect(await admit({ channels: ['lobby'], hint }, jwt)).toMatchObject({ refusal: { status: 401 } });
  });
});
