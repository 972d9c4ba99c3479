import { limits } from '@weir/protocol';
import { readConfig, settingsMarkdown } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import type { ShardConfig } from './config.ts';
import { poolDefaults, rules, settings } from './config.ts';

const required = {
  WEIR_POOL: 'desktop',
  WEIR_ROUTER_URL: 'wss://weir.example',
  WEIR_TICKET_KEYS: `k1:${Buffer.alloc(32, 5).toString('base64url')}`,
};

function read(env: Readonly<Record<string, string>>): ReturnType<typeof readConfig<typeof settings>> {
  return readConfig({ table: settings, rules, env: { ...required, ...env } });
}

function configOf(env: Readonly<Record<string, string>> = {}): ShardConfig {
  const result = read(env);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config;
}

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  const result = read(env);
  return 'problems' in result ? result.problems : [];
}

describe('the configuration', () => {
  it('names all missing settings together', () => {
    const result = readConfig({ table: settings, rules, env: {} });
    expect('problems' in result && result.problems.map((problem) => problem.split(' ')[0])).toEqual([
      'WEIR_POOL',
      'WEIR_ROUTER_URL',
      'WEIR_TICKET_KEYS',
    ]);
  });

  it('has defaults for all other settings', () => {
    expect(configOf()).toMatchObject({
      host: '0.0.0.0',
      port: 8081,
      publicUrl: undefined,
      maxFrameBytes: limits.frameBytes,
      maxMessageBytes: limits.messageBytes,
      maxDepth: limits.depth,
      criticalMaxAgeMs: 600_000,
      criticalMaxPerChannel: 10_000,
      movesPerSecond: 500,
    });
    expect(configOf().shardId).toMatch(/^shard-[0-9a-f]{12}$/);
  });

  it('names all wrong settings together, each with its variable', () => {
    const problems = problemsOf({
      WEIR_POOL: 'a b',
      WEIR_CAPACITY: '0',
      WEIR_TICK_MS: '5ms',
      WEIR_SOFT_BYTES: 'many',
      WEIR_PUBLIC_URL: 'http://shard.example',
      WEIR_TICKET_KEYS: 'k1:c2hvcnQ',
      WEIR_TIC_MS: '100',
    });
    expect(problems.map((problem) => problem.match(/WEIR_[A-Z_]+/)?.[0]).sort()).toEqual([
      'WEIR_CAPACITY',
      'WEIR_POOL',
      'WEIR_PUBLIC_URL',
      'WEIR_SOFT_BYTES',
      'WEIR_TICKET_KEYS',
      'WEIR_TICK_MS',
      'WEIR_TIC_MS',
    ]);
    expect(problems.join('\n')).not.toContain('c2hvcnQ');
  });

  it.each([
    [{ WEIR_SOFT_BYTES: '512KB', WEIR_HARD_BYTES: '512KB' }, /WEIR_SOFT_BYTES .* less than WEIR_HARD_BYTES/],
    // Also where only one of them is set, and the other is the pool's default.
    [{ WEIR_SOFT_BYTES: '600KB' }, /WEIR_SOFT_BYTES .* less than WEIR_HARD_BYTES/],
    [{ WEIR_POOL: 'mobile', WEIR_HARD_BYTES: '16KB' }, /WEIR_SOFT_BYTES .* less than WEIR_HARD_BYTES/],
    [{ WEIR_MAX_FRAME_BYTES: '1MB' }, /WEIR_MAX_FRAME_BYTES/],
    [{ WEIR_MAX_MESSAGE_BYTES: '17KB' }, /WEIR_MAX_MESSAGE_BYTES/],
    [{ WEIR_MAX_DEPTH: '65' }, /WEIR_MAX_DEPTH/],
    [{ WEIR_POSITION_MS: '2s' }, /WEIR_POSITION_MS/],
    [{ WEIR_VERIFY_MS: '11s' }, /WEIR_VERIFY_MS/],
    [{ WEIR_SHARD_ID: 'a.b' }, /WEIR_SHARD_ID/],
    [{ WEIR_SHARD_ID: 'x'.repeat(65) }, /WEIR_SHARD_ID/],
    [{ WEIR_PUBLIC_URL: 'wss://user:secret@shard.example' }, /WEIR_PUBLIC_URL .*without user/],
    [{ WEIR_PUBLIC_URL: 'wss://shard.example/?a=1' }, /WEIR_PUBLIC_URL/],
    [{ WEIR_ROUTER_URL: 'router.example' }, /WEIR_ROUTER_URL/],
    [{ WEIR_PORT: '65536' }, /WEIR_PORT/],
    [{ WEIR_MOVES_PER_SECOND: '9' }, /WEIR_MOVES_PER_SECOND/],
    [{ WEIR_PROMOTION_RTT_MS: '600' }, /WEIR_PROMOTION_RTT_MS must not exceed WEIR_PROMOTION_LAG_MS/],
    [{ WEIR_MOVE_BACKOFF_MS: '31m' }, /WEIR_MOVE_BACKOFF_MS must not exceed WEIR_MOVE_BACKOFF_MAX_MS/],
    [{ WEIR_PROMOTION: 'perhaps' }, /WEIR_PROMOTION/],
    [{ WEIR_PROMOTION_HEALTH_MS: '0' }, /WEIR_PROMOTION_HEALTH_MS/],
  ])('refuses %j', (env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
  });

  it('removes the slash at the end of URLs', () => {
    const config = configOf({ WEIR_PUBLIC_URL: 'ws://[::1]:81/base//', WEIR_ROUTER_URL: 'wss://a.example/' });
    expect([config.publicUrl, config.routerUrl]).toEqual(['ws://[::1]:81/base', 'wss://a.example']);
  });

  it('leaves room for the largest message in the smallest frame', () => {
    expect(problemsOf({ WEIR_MAX_FRAME_BYTES: '20000' })).toEqual([]);
  });

  it('describes every setting, and prints no secret', () => {
    const text = settingsMarkdown(settings);
    for (const { env, meaning } of Object.values(settings)) {
      expect(meaning.length).toBeGreaterThan(10);
      expect(text).toContain(env);
    }
    const names = Object.values(settings).map(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
    expect(settings.ticketKeys.secret).toBe(true);
  });
});

describe('the limits of a pool', () => {
  it('are those of a fast network unless the pool is called mobile', () => {
    const desktop = { tickMs: 100, softBytes: 131_072, hardBytes: 524_288, lagMs: 10_000 };
    expect(poolDefaults(configOf())).toMatchObject(desktop);
    expect(poolDefaults(configOf({ WEIR_POOL: 'tv' }))).toMatchObject(desktop);
    expect(poolDefaults(configOf({ WEIR_POOL: 'mobile' }))).toMatchObject({
      tickMs: 1_000,
      softBytes: 32_768,
      hardBytes: 131_072,
      lagMs: 20_000,
    });
  });

  it('are the values that are set', () => {
    const env = { WEIR_POOL: 'mobile', WEIR_TICK_MS: '250ms', WEIR_SOFT_BYTES: '8KB', WEIR_LAG_MS: '5s' };
    expect(poolDefaults(configOf(env))).toMatchObject({
      tickMs: 250,
      softBytes: 8_192,
      hardBytes: 131_072,
      lagMs: 5_000,
    });
  });

  it('promote out of mobile and demote out of all other pools, unless it is set', () => {
    const moves = (env: Record<string, string>): unknown => {
      const { demotion, promotion } = poolDefaults(configOf(env));
      return { demotion, promotion };
    };
    expect(moves({ WEIR_POOL: 'mobile' })).toEqual({ demotion: false, promotion: true });
    expect(moves({ WEIR_POOL: 'tv' })).toEqual({ demotion: true, promotion: false });
    const both = { WEIR_POOL: 'tv', WEIR_PROMOTION: 'true', WEIR_DEMOTION: 'false' };
    expect(moves(both)).toEqual({ demotion: false, promotion: true });
  });

  it('has a deadline that is longer than a drain', () => {
    expect(configOf().shutdownDeadlineMs).toBe(60_000);
    expect(problemsOf({ WEIR_CAPACITY: '100000' })).toEqual([
      expect.stringMatching(/^WEIR_SHUTDOWN_DEADLINE_MS \(60000\) must be at least 218000/),
    ]);
    expect(problemsOf({ WEIR_CAPACITY: '100000', WEIR_SHUTDOWN_DEADLINE_MS: '218s' })).toEqual([]);
  });
});
