import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonSettings } from './common-settings.ts';
import { parse } from './parse.ts';
import { readConfig } from './read-config.ts';
import type { SettingsTable } from './setting.ts';

const table = {
  port: { env: 'WEIR_PORT', parse: parse.port(), default: 8080, meaning: 'Port' },
  pool: { env: 'WEIR_POOL', parse: parse.text(), meaning: 'Pool' },
  pools: { env: 'WEIR_POOLS', parse: parse.list(), default: ['mobile', 'desktop'], meaning: 'Pools' },
  key: { env: 'WEIR_KEY', parse: parse.text({ max: 8 }), optional: true, secret: true, meaning: 'Key' },
} satisfies SettingsTable;

function problemsOf(env: Record<string, string>, file?: unknown): readonly string[] {
  const result = readConfig({ table, env, file });
  return 'problems' in result ? result.problems : [];
}

describe('readConfig', () => {
  it('returns typed, frozen values with defaults', () => {
    const result = readConfig({ table, env: { WEIR_POOL: 'mobile', HOME: '/root' } });
    if ('problems' in result) throw new Error(result.problems.join());
    const port: number = result.config.port;
    const key: string | undefined = result.config.key;
    expect({ ...result.config, port, key }).toEqual({
      port: 8080,
      pool: 'mobile',
      pools: ['mobile', 'desktop'],
      key: undefined,
    });
    expect(Object.isFrozen(result.config)).toBe(true);
    expect(Object.isFrozen(result.config.pools)).toBe(true);
  });

  it('reports every problem with its variable name', () => {
    expect(
      problemsOf({ WEIR_PORT: '-1', WEIR_POOLS: 'a,,b', WEIR_PROT: '1', WEIR_NOTHING_LIKE_IT: 'x' }),
    ).toEqual([
      'WEIR_PROT is not a setting of this service; did you mean WEIR_PORT?',
      'WEIR_NOTHING_LIKE_IT is not a setting of this service',
      'WEIR_PORT must be a whole number from 0 to 65535, got "-1"',
      'WEIR_POOL is required: Pool',
      'WEIR_POOLS must be a comma-separated list, but entry 2 is empty, got "a,,b"',
    ]);
  });

  it('ignores settings of other services, so that one environment file serves all', () => {
    const valid = { WEIR_POOL: 'mobile' };
    expect(problemsOf({ ...valid, WEIR_TICKET_KEYS: 'k1:x' })).toEqual([]);
    expect(problemsOf({ ...valid, WEIR_TICKT_KEYS: 'k1:x' })).toEqual([
      'WEIR_TICKT_KEYS is not a setting of this service; did you mean WEIR_TICKET_KEYS?',
    ]);
  });

  it('refuses empty values', () => {
    expect(problemsOf({ WEIR_POOL: '' })).toEqual([
      'WEIR_POOL is set but empty; give a value or leave it out, got ""',
    ]);
  });

  it.each([
    'http://u:hunter2@h',
    'nats://u:hunter2/more@h:4222',
    'nats://u:hunter2,more@h:4222',
    'u:hunter2@h:4222',
    'nats://a,u:hunter2@h',
    'nats://h:99999/?token=hunter2',
    'h:4222?token=hunter2',
    'ws://h#hunter2',
    'nats://token-hunter2@h:x',
  ])('quotes no password, token, query or fragment of %s', (url) => {
    const read = readConfig({ table: commonSettings, env: { WEIR_NATS_URL: url } });
    expect('problems' in read ? read.problems.join() : '').toMatch(/^WEIR_NATS_URL (?!.*hunter2).*\*\*\*/);
  });

  it('never quotes a secret, nor the password of a URL', () => {
    const secret = 'hunter2-hunter2';
    expect(problemsOf({ WEIR_POOL: 'a', WEIR_KEY: secret }).join()).not.toContain('hunter2');
    const nats = readConfig({ table: commonSettings, env: { WEIR_NATS_URL: 'http://u:hunter2@h' } });
    expect('problems' in nats ? nats.problems : []).toEqual([
      'WEIR_NATS_URL entry 1 must be a URL that begins with nats:// or tls://, got "http://***@h"',
    ]);
    const echoing = {
      echo: {
        env: 'WEIR_ECHO',
        parse: (text: string) => {
          throw new Error(`bad ${text}`);
        },
        secret: true,
        meaning: '',
      },
    } satisfies SettingsTable;
    const echoed = readConfig({ table: echoing, env: { WEIR_ECHO: secret } });
    expect('problems' in echoed ? echoed.problems : []).toEqual(['WEIR_ECHO bad ***']);
  });

  it("ignores Kubernetes' service links, but explains one that collides with a setting", () => {
    const links = {
      WEIR_ROUTER_SERVICE_HOST: '10.0.0.1',
      WEIR_ROUTER_SERVICE_PORT: '80',
      WEIR_ROUTER_SERVICE_PORT_HTTP: '80',
      WEIR_ROUTER_PORT: 'tcp://10.0.0.1:80',
      WEIR_ROUTER_PORT_80_TCP: 'tcp://10.0.0.1:80',
      WEIR_ROUTER_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(problemsOf({ WEIR_POOL: 'a', ...links })).toEqual([]);
    expect(problemsOf({ WEIR_POOL: 'a', WEIR_PORT: 'tcp://10.0.0.1:80' }).join()).toContain(
      'enableServiceLinks: false',
    );
  });

  it('reads a file below the environment', () => {
    const env = { WEIR_POOL: 'fromEnv' };
    const result = readConfig({ table, env, file: { pool: 'fromFile', port: 1, pools: ['x', 'y'] } });
    expect('config' in result && { ...result.config }).toMatchObject({
      pool: 'fromEnv',
      port: 1,
      pools: ['x', 'y'],
    });
  });

  it('refuses a file that is not an object, unknown names and values without a text', () => {
    const env = { WEIR_POOL: 'a' };
    for (const file of [null, [], 'x', 1])
      expect(problemsOf(env, file).join()).toContain('must be a JSON object');
    const file = JSON.parse('{"prot":1,"__proto__":1,"port":null,"pools":["a,b"],"key":{"a":1}}');
    expect(problemsOf(env, file)).toEqual([
      '"prot" in the file is not a setting of this service; did you mean port?',
      '"__proto__" in the file is not a setting of this service',
      'WEIR_PORT (setting "port" of the file) must be text, a number, true, false or a list of these',
      'WEIR_POOLS (setting "pools" of the file) must be text, a number, true, false or a list of these',
      'WEIR_KEY (setting "key" of the file) must be text, a number, true, false or a list of these',
    ]);
  });

  it('applies the rules only to a configuration without other problems', () => {
    const rules = (config: { readonly port: number }): readonly string[] =>
      config.port === 1 ? ['WEIR_PORT must not be 1'] : [];
    expect(readConfig({ table, env: { WEIR_POOL: 'a', WEIR_PORT: '1' }, rules })).toEqual({
      problems: ['WEIR_PORT must not be 1'],
    });
    expect(readConfig({ table, env: { WEIR_PORT: '1' }, rules })).toEqual({
      problems: ['WEIR_POOL is required: Pool'],
    });
  });

  it('has no problem with its own common defaults', () => {
    expect(readConfig({ table: commonSettings, env: {} })).toHaveProperty('config');
  });

  it('never throws, whatever the environment contains', () => {
    const env = fc.dictionary(
      fc.oneof(
        fc.string().map((name) => `WEIR_${name}`),
        fc.constantFrom(...Object.values(commonSettings).map((setting) => setting.env)),
      ),
      fc.string(),
    );
    fc.assert(fc.property(env, (given) => void readConfig({ table: commonSettings, env: given })));
  });
});
