// The settings that every service has. A service spreads them into its own table.
import { logLevels } from '../logging/logger.ts';
import type { NatsOptions } from '../nats/link.ts';
import { parse } from './parse.ts';
import type { ConfigOf } from './setting.ts';
import { defineSettings } from './setting.ts';

/** NATS, admin server, log and shutdown. */
export const commonSettings = defineSettings({
  natsUrl: {
    env: 'WEIR_NATS_URL',
    parse: parse.list(parse.natsServer()),
    default: ['nats://127.0.0.1:4222'],
    meaning: 'NATS servers, comma separated; nats:// or tls://, may carry user:password@',
  },
  natsCredsFile: {
    env: 'WEIR_NATS_CREDS_FILE',
    parse: parse.text(),
    optional: true,
    meaning: 'Path of a NATS credentials file (JWT and seed); the service reads it again at each connection',
  },
  natsUser: { env: 'WEIR_NATS_USER', parse: parse.text(), optional: true, meaning: 'NATS user name' },
  natsPassword: {
    env: 'WEIR_NATS_PASSWORD',
    parse: parse.text(),
    optional: true,
    secret: true,
    meaning: 'NATS password',
  },
  natsToken: {
    env: 'WEIR_NATS_TOKEN',
    parse: parse.text(),
    optional: true,
    secret: true,
    meaning: 'NATS authentication token',
  },
  subjectPrefix: {
    env: 'WEIR_SUBJECT_PREFIX',
    parse: parse.text({
      pattern: /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/,
      what: 'tokens of letters, digits, - and _ joined by dots',
      max: 64,
    }),
    default: 'weir',
    meaning: 'First part of every NATS subject; two clusters on one NATS need two prefixes',
  },
  adminHost: {
    env: 'WEIR_ADMIN_HOST',
    parse: parse.host(),
    default: '127.0.0.1',
    meaning: 'Address that the admin server (metrics, health) listens on; 0.0.0.0 in the images',
  },
  adminPort: {
    env: 'WEIR_ADMIN_PORT',
    parse: parse.port(),
    default: 9180,
    meaning: 'Port of the admin server; 0 picks a free one; 9090 in the images',
  },
  logLevel: {
    env: 'WEIR_LOG_LEVEL',
    parse: parse.oneOf(...logLevels),
    default: 'info',
    meaning: 'Lowest log level that the service writes',
  },
  shutdownDeadlineMs: {
    env: 'WEIR_SHUTDOWN_DEADLINE_MS',
    parse: parse.durationMs({ min: 100, max: 3_600_000 }),
    default: 30_000,
    unit: 'ms',
    meaning: 'Maximum time from SIGTERM to the end of the process',
  },
});

type NatsCredentials = Pick<
  ConfigOf<typeof commonSettings>,
  'natsCredsFile' | 'natsUser' | 'natsPassword' | 'natsToken'
>;

/** The credentials among these settings, for `openNats`; the caller provides the servers. */
export function natsAccess(
  config: NatsCredentials,
): Pick<NatsOptions, 'credsFile' | 'user' | 'password' | 'token'> {
  return {
    credsFile: config.natsCredsFile,
    user: config.natsUser,
    password: config.natsPassword,
    token: config.natsToken,
  };
}
