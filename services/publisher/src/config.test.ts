import { readConfig } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { readCliConfig, settings } from './config.ts';

describe('settings', () => {
  it('has no required setting', () => {
    expect(readConfig({ table: settings, env: {} })).toMatchObject({ config: { port: 8082, demo: 'none' } });
  });

  it('has a bound for everything that could grow', () => {
    for (const env of [
      'WEIR_MAX_REQUESTS',
      'WEIR_MAX_IN_FLIGHT',
      'WEIR_MAX_BODY_BYTES',
      'WEIR_MESSAGES_PER_SECOND',
    ]) {
      expect(readConfig({ table: settings, env: { [env]: '0' } })).toHaveProperty('problems');
    }
  });

  it('refuses keys that are too short, and does not repeat them', () => {
    const result = readConfig({ table: settings, env: { WEIR_API_KEYS: 'long-enough-a-key,short' } });
    expect(result).toHaveProperty('problems');
    expect(JSON.stringify(result)).not.toContain('short,');
    expect(JSON.stringify(result)).not.toContain('long-enough');
  });
});

describe('readCliConfig', () => {
  it('ignores settings of services in the same shell', () => {
    const env = { WEIR_POOL: 'mobile', WEIR_NATS_URL: 'nats://a:1', PATH: '/' };
    expect(readCliConfig({}, env)).toMatchObject({
      config: { natsUrl: ['nats://a:1'], subjectPrefix: 'weir' },
    });
    expect(readCliConfig({}, {})).toMatchObject({ config: { natsUrl: undefined } });
    expect(readCliConfig({}, { WEIR_NATS_URL: 'http://a' })).toHaveProperty('problems');
  });

  it('uses NATS_URL if WEIR_NATS_URL is not set', () => {
    const natsUrl = (env: Readonly<Record<string, string>>) => {
      const result = readCliConfig({}, env);
      return 'config' in result ? result.config.natsUrl : result;
    };
    expect(natsUrl({ NATS_URL: 'nats://a:1' })).toEqual(['nats://a:1']);
    expect(natsUrl({ NATS_URL: 'a:1,tls://b' })).toEqual(['nats://a:1', 'tls://b']);
    expect(natsUrl({ NATS_URL: 'nats://a:1', WEIR_NATS_URL: 'nats://b:2' })).toEqual(['nats://b:2']);
    expect(natsUrl({ NATS_URL: ' ' })).toBeUndefined();
  });

  it('names the variable that is wrong', () => {
    const problems = (env: Readonly<Record<string, string>>) => readCliConfig({}, env);
    const sentence = 'entry 1 must be a URL that begins with nats:// or tls://, got "http://a"';
    expect(problems({ NATS_URL: 'http://a' })).toEqual({ problems: [`NATS_URL ${sentence}`] });
    expect(problems({ NATS_URL: 'a', WEIR_NATS_URL: 'http://a' })).toEqual({
      problems: [`WEIR_NATS_URL ${sentence}`],
    });
  });
});
