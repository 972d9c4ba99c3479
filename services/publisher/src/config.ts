// The publisher's settings, one table. No other file of the publisher names environment variables; docs/config.md is
// generated from this table.
import { defaultStreamLimits } from '@weir/protocol';
import type { ConfigOf, ConfigResult, Setting } from '@weir/runtime';
import { commonSettings, defineSettings, parse, readConfig } from '@weir/runtime';

const minKeyChars = 16;

function apiKey(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text) || text.length < minKeyChars) {
    throw new Error(`must be at least ${minKeyChars} visible ASCII characters`);
  }
  return text;
}

function ms(env: string, preset: number, meaning: string): Setting<number> {
  return { env, parse: parse.durationMs({ min: 100, max: 600_000 }), default: preset, unit: 'ms', meaning };
}

function count(env: string, preset: number, meaning: string): Setting<number> {
  return { env, parse: parse.int({ min: 1, max: 1e9 }), default: preset, meaning };
}

/** All settings. */
export const settings = defineSettings({
  ...commonSettings,
  adminPort: { ...commonSettings.adminPort, default: 9182 },
  host: {
    env: 'WEIR_HOST',
    parse: parse.host(),
    default: '0.0.0.0',
    meaning: 'Address to listen on; :: is IPv6 and IPv4',
  },
  port: {
    env: 'WEIR_PORT',
    parse: parse.port(),
    default: 8082,
    meaning: 'Port to listen on; 0 picks a free one',
  },
  apiKeys: {
    env: 'WEIR_API_KEYS',
    parse: parse.list(apiKey),
    optional: true,
    secret: true,
    meaning:
      'API keys that may publish, comma separated; without any key, every caller that reaches the port may publish',
  },
  demo: {
    env: 'WEIR_DEMO',
    parse: parse.oneOf('none', 'lobby'),
    default: 'none',
    meaning: 'A demo feed to publish: lobby is a casino lobby of about 2 KB every 500 ms',
  },
  maxBodyBytes: {
    env: 'WEIR_MAX_BODY_BYTES',
    parse: parse.bytes({ min: 1_024, max: 1e8 }),
    default: 1_048_576,
    unit: 'bytes',
    meaning: 'Maximum size of a request body',
  },
  maxBatch: count('WEIR_MAX_BATCH', 1_000, 'Maximum messages in one request'),
  maxRequests: count('WEIR_MAX_REQUESTS', 64, 'Maximum concurrent requests; further requests get 503'),
  maxRequestsPerPublisher: {
    env: 'WEIR_MAX_REQUESTS_PER_PUBLISHER',
    parse: parse.int({ min: 1, max: 1e9 }),
    optional: true,
    meaning:
      'Maximum concurrent requests of one API key, or of one network if there are no keys; further requests get 429; by default half of WEIR_MAX_REQUESTS',
  },
  maxInFlight: count('WEIR_MAX_IN_FLIGHT', 512, 'Maximum messages that wait for their acknowledgement'),
  messagesPerSecond: count(
    'WEIR_MESSAGES_PER_SECOND',
    20_000,
    'Messages per second of one API key, or of one network (IPv4 address, IPv6 /64) if there are no keys; further requests get 429',
  ),
  bytesPerSecond: {
    env: 'WEIR_BYTES_PER_SECOND',
    parse: parse.bytes({ min: 1_024, max: 1e9 }),
    default: 16_777_216,
    unit: 'bytes',
    meaning: 'Body bytes per second of one API key or network; further requests get 429',
  },
  maxPublishers: count(
    'WEIR_MAX_PUBLISHERS',
    10_000,
    'Maximum keys and networks whose rate the publisher remembers; it forgets the least recent first',
  ),
  maxConnections: count(
    'WEIR_MAX_CONNECTIONS',
    1_000,
    'Maximum open HTTP connections; further connections are closed at once',
  ),
  ackTimeoutMs: ms('WEIR_ACK_TIMEOUT_MS', 5_000, 'Maximum time for NATS to acknowledge a message'),
  bodyTimeoutMs: ms(
    'WEIR_BODY_TIMEOUT_MS',
    10_000,
    'Maximum time for a caller to send its request; one that does not read its answer for so long is cut off',
  ),
  criticalMaxAgeMs: {
    env: 'WEIR_CRITICAL_MAX_AGE_MS',
    parse: parse.durationMs({ min: 1_000, max: 86_400_000 }),
    default: defaultStreamLimits.criticalMaxAgeMs,
    unit: 'ms',
    meaning: 'Retention window of critical messages',
  },
  criticalMaxPerChannel: count(
    'WEIR_CRITICAL_MAX_PER_CHANNEL',
    defaultStreamLimits.criticalMaxPerChannel,
    'Maximum critical messages that the stream keeps per channel',
  ),
  streamMaxBytes: {
    env: 'WEIR_STREAM_MAX_BYTES',
    parse: parse.bytes({ min: 1_048_576, max: 1e12 }),
    default: defaultStreamLimits.maxBytes,
    unit: 'bytes',
    meaning: 'Maximum size of each JetStream stream',
  },
  streamReplicas: {
    env: 'WEIR_STREAM_REPLICAS',
    parse: parse.int({ min: 1, max: 5 }),
    default: defaultStreamLimits.replicas,
    meaning: 'Replicas of each JetStream stream',
  },
});

export type PublisherConfig = ConfigOf<typeof settings>;

const { natsCredsFile, natsUser, natsPassword, natsToken, subjectPrefix } = commonSettings;

/** Settings that `weir-publish` reads from the environment: only how to reach NATS. */
export const cliSettings = defineSettings({
  natsUrl: {
    env: commonSettings.natsUrl.env,
    parse: commonSettings.natsUrl.parse,
    optional: true,
    meaning: commonSettings.natsUrl.meaning,
  },
  natsCredsFile,
  natsUser,
  natsPassword,
  natsToken,
  subjectPrefix,
});

export type CliConfig = ConfigOf<typeof cliSettings>;

/**
 * Reads `cliSettings`; flags override the environment, and WEIR_NATS_URL overrides NATS_URL. It ignores other `WEIR_`
 * variables, because the same shell may have those of a service.
 */
export function readCliConfig(
  flags: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ConfigResult<typeof cliSettings> {
  const natsUrl = env['NATS_URL'];
  const given: typeof env = {
    ...(natsUrl === undefined || natsUrl.trim() === '' ? {} : { WEIR_NATS_URL: withScheme(natsUrl) }),
    ...env,
    ...flags,
  };
  const ours = Object.values(cliSettings).map((setting) => [setting.env, given[setting.env]] as const);
  const result = readConfig({ table: cliSettings, env: Object.fromEntries(ours) });
  if ('config' in result || (env['WEIR_NATS_URL'] ?? flags['WEIR_NATS_URL']) !== undefined) return result;
  return { problems: result.problems.map((problem) => problem.replace(/^WEIR_NATS_URL\b/, 'NATS_URL')) };
}

/** The same settings, with at most as many connections as there is room for. */
export function fitted(config: PublisherConfig, roomForClients: number): PublisherConfig {
  return roomForClients < config.maxConnections ? { ...config, maxConnections: roomForClients } : config;
}

/** The NATS command accepts servers without a scheme in NATS_URL; adds one. */
function withScheme(servers: string): string {
  return servers
    .split(',')
    .map((server) => (server.includes('://') ? server : `nats://${server.trim()}`))
    .join(',');
}
