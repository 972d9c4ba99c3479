import { describe, expect, it } from 'vitest';
import { serviceEnvironment } from './service-environment.ts';

const SETTINGS = {
  router: ['WEIR_TICKET_KEYS', 'WEIR_USER_TOKENS', 'WEIR_PORT', 'WEIR_LOG_LEVEL'],
  shard: ['WEIR_TICKET_KEYS', 'WEIR_TICK_MS', 'WEIR_PORT', 'WEIR_LOG_LEVEL'],
  publisher: ['WEIR_API_KEYS', 'WEIR_PORT', 'WEIR_LOG_LEVEL'],
  control: ['WEIR_POOLS', 'WEIR_PORT', 'WEIR_LOG_LEVEL'],
} as const;

const divide = (own: Readonly<Record<string, string>>): ReturnType<typeof serviceEnvironment> =>
  serviceEnvironment(own, async (service) => new Set<string>(SETTINGS[service]));

describe('serviceEnvironment', () => {
  it('passes each setting to the services that know it', async () => {
    const { given, notes } = await divide({
      WEIR_TICK_MS: '50',
      WEIR_API_KEYS: 'a',
      WEIR_TICKET_KEYS: 't:x',
    });
    expect(given.router).toEqual({ WEIR_LOG_LEVEL: 'warn', WEIR_TICKET_KEYS: 't:x' });
    expect(given.shard).toEqual({ WEIR_LOG_LEVEL: 'warn', WEIR_TICK_MS: '50', WEIR_TICKET_KEYS: 't:x' });
    expect(given.publisher).toEqual({ WEIR_LOG_LEVEL: 'warn', WEIR_API_KEYS: 'a' });
    expect(notes).toEqual([
      'WEIR_TICK_MS: shard',
      'WEIR_API_KEYS: publisher',
      'WEIR_TICKET_KEYS: router, shard',
    ]);
  });

  it('says which settings reach no service, and why', async () => {
    const { given, notes } = await divide({ WEIR_PORT: '9555', WEIR_TICKMS: '50' });
    expect(JSON.stringify(given)).not.toContain('9555');
    expect(notes).toEqual([
      expect.stringMatching(/^not used: WEIR_PORT \(.*--port/),
      'not used: WEIR_TICKMS (no service that runs here has it)',
    ]);
  });

  it('lets the log level be changed, and passes other variables to all services', async () => {
    const { given, shared } = await divide({
      WEIR_LOG_LEVEL: 'debug',
      PATH: '/bin',
      WEIR_NATS_URL: 'nats://a',
    });
    expect(Object.values(given).map((one) => one['WEIR_LOG_LEVEL'])).toEqual([
      'debug',
      'debug',
      'debug',
      'debug',
    ]);
    expect(shared).toEqual({ PATH: '/bin' });
  });

  it('asks no service if there is no setting to pass', async () => {
    const asked = serviceEnvironment({ PATH: '/bin' }, () => Promise.reject(new Error('asked')));
    expect((await asked).notes).toEqual([]);
  });
});
