import { readConfig, settingsMarkdown } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { rules, settings } from './config.ts';
import { configOf } from './fakes/running-router.ts';

function problems(env: Readonly<Record<string, string>>): readonly string[] {
  const key = Buffer.alloc(32, 5).toString('base64url');
  const read = readConfig({ table: settings, rules, env: { WEIR_TICKET_KEYS: `k:${key}`, ...env } });
  return 'problems' in read ? read.problems : [];
}

describe('the configuration', () => {
  it('has sensible defaults for everything but the keys', () => {
    expect(problems({})).toEqual([]);
    const read = readConfig({ table: settings, rules, env: {} });
    expect('problems' in read && read.problems).toEqual([
      expect.stringMatching(/^WEIR_TICKET_KEYS is required/),
    ]);
  });

  it('has no slash at the end of the public URL', () => {
    expect(configOf({ WEIR_PUBLIC_URL: 'wss://a.example/base//' }).publicUrl).toBe('wss://a.example/base');
  });

  it.each([
    [{ WEIR_AUTH: 'jwt' }, /needs one of/],
    [{ WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: 's'.repeat(32), WEIR_JWT_JWKS_URL: 'https://a/k' }, /not both/],
    [{ WEIR_JWT_SECRET: 's'.repeat(32) }, /WEIR_AUTH is none/],
    [{ WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: 'short' }, /at least 32 bytes/],
    [
      { WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: `-----BEGIN PUBLIC KEY-----${'x'.repeat(40)}` },
      /WEIR_JWT_JWKS_URL/,
    ],
    [{ WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: '\u0005'.repeat(32) }, /control characters/],
    [{ WEIR_POOLS: 'a,a' }, /twice/],
    [{ WEIR_POOLS: 'a b' }, /pool name/],
    [{ WEIR_ALLOWED_ORIGINS: 'https://a.example/' }, /must be/],
    [{ WEIR_TRUSTED_PROXIES: '10.0.0.0/99' }, /must be an address/],
    [{ WEIR_TICKET_TTL_MS: '61s' }, /60000/],
    [{ WEIR_JWT_DEFAULT_CHANNELS: 'a..b' }, /pattern/],
    [{ WEIR_PUBLIC_URL: 'https://a.example' }, /ws:\/\//],
    [{ WEIR_PUBLIC_URL: 'wss://user:secret@a.example' }, /without user/],
    [{ WEIR_MAX_PENDING: '10', WEIR_MAX_SOCKETS: '5' }, /must not exceed/],
    [{ WEIR_CONNECT_BURST_PER_ADDRESS: '5' }, /must not be less/],
    [{ WEIR_CONECT_BURST: '5' }, /not a setting/],
  ])('refuses %j', (env, problem) => {
    expect(problems(env)).toEqual([expect.stringMatching(problem)]);
  });

  it('refuses a user secret that is a ticket key', () => {
    const secret = 'abcdefghijklmnopqrstuvwxyz0123456789';
    const env = {
      WEIR_TICKET_KEYS: `k:${Buffer.from(secret).toString('base64url')}`,
      WEIR_AUTH: 'jwt',
      WEIR_JWT_SECRET: secret,
    };
    expect(problems(env)).toEqual([expect.stringMatching(/must not be one of WEIR_TICKET_KEYS/)]);
  });

  it('says of every setting what it means', () => {
    for (const row of Object.values(settings)) expect(row.meaning.length).toBeGreaterThan(10);
    expect(settingsMarkdown(settings)).toContain('| `WEIR_POOLS` | `mobile,desktop` |');
  });
});
