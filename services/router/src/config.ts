// The router's settings, one table. No other file of the router names environment variables; docs/config.md is generated
// from this table.

import { kubernetesRules, kubernetesSettings, selectorText } from '@weir/kubernetes';
import { isChannelPattern, isToken, limits, parseBaseUrl, parseTicketKeys } from '@weir/protocol';
import type { ConfigOf } from '@weir/runtime';
import { commonSettings, defineSettings, parse } from '@weir/runtime';
import { parseCidr } from './accept/address.ts';
import { parseAllowedOrigin } from './accept/origins.ts';
import { DEFAULT_LIMITS } from './probe/probe.ts';

const minSecretBytes = 32;

function pool(text: string): string {
  if (!isToken(text, 64)) throw new Error('must be a pool name (letters, digits, - and _)');
  return text;
}

function pools(text: string): readonly string[] {
  const names = parse.list(pool)(text);
  if (new Set(names).size !== names.length) throw new Error('must not name a pool twice');
  if (names.length > 16) throw new Error('must name at most 16 pools');
  return names;
}

function jwtSecret(text: string): Uint8Array {
  const secret = parse.text()(text);
  if (secret.startsWith('-----BEGIN'))
    throw new Error('must be a shared secret; for public keys there is WEIR_JWT_JWKS_URL');
  if (Buffer.byteLength(secret) < minSecretBytes)
    throw new Error(`must have at least ${minSecretBytes} bytes`);
  return new TextEncoder().encode(secret);
}

/** All settings. */
export const settings = defineSettings({
  ...commonSettings,
  host: {
    env: 'WEIR_HOST',
    parse: parse.host(),
    default: '0.0.0.0',
    meaning: 'Address to listen on for clients; :: is IPv6 and IPv4',
  },
  port: {
    env: 'WEIR_PORT',
    parse: parse.port(),
    default: 8080,
    meaning: 'Port to listen on for clients; 0 picks a free one',
  },
  publicUrl: {
    env: 'WEIR_PUBLIC_URL',
    parse: parseBaseUrl,
    optional: true,
    meaning:
      "The router's own public URL. The router accepts its path in front of /v1/connect. With wss:// clients count as TLS clients unless a trusted proxy says otherwise",
  },
  pools: {
    env: 'WEIR_POOLS',
    parse: pools,
    default: ['mobile', 'desktop'],
    meaning: 'The pools, slowest first; the probe chooses between the first and the last',
  },
  ticketKeys: {
    env: 'WEIR_TICKET_KEYS',
    parse: parseTicketKeys,
    secret: true,
    meaning:
      'Keys of tickets and hints, kid:base64url-secret, comma separated: the first key signs, all verify; shards need the same keys',
  },
  ticketTtlMs: {
    env: 'WEIR_TICKET_TTL_MS',
    parse: parse.durationMs({ min: 5_000, max: limits.ticketTtlMs }),
    default: 30_000,
    unit: 'ms',
    meaning: 'Lifetime of a ticket: a client must open its stream within it',
  },
  hintTtlMs: {
    env: 'WEIR_HINT_TTL_MS',
    parse: parse.durationMs({ min: 10_000, max: 3_600_000 }),
    default: 600_000,
    unit: 'ms',
    meaning: 'How long a measured client may reconnect from the same network without a new measurement',
  },
  auth: {
    env: 'WEIR_AUTH',
    parse: parse.oneOf('none', 'jwt'),
    default: 'none',
    meaning: 'Which clients may connect: all (none), or those with a valid JWT (jwt)',
  },
  jwtSecret: {
    env: 'WEIR_JWT_SECRET',
    parse: jwtSecret,
    optional: true,
    secret: true,
    meaning:
      'Shared secret of user tokens (HS256, HS384, HS512), 32 bytes or more; the alternative is WEIR_JWT_JWKS_URL',
  },
  jwtJwksUrl: {
    env: 'WEIR_JWT_JWKS_URL',
    parse: parse.url('https:', 'http:'),
    optional: true,
    meaning: 'URL of the public keys of user tokens (RS, PS, ES, EdDSA); the router fetches no other URL',
  },
  jwtAudience: {
    env: 'WEIR_JWT_AUDIENCE',
    parse: parse.text(),
    optional: true,
    meaning: 'The aud that a user token must have; without this setting aud is not checked',
  },
  jwtIssuer: {
    env: 'WEIR_JWT_ISSUER',
    parse: parse.text(),
    optional: true,
    meaning: 'The iss that a user token must have; without this setting iss is not checked',
  },
  jwtChannelsClaim: {
    env: 'WEIR_JWT_CHANNELS_CLAIM',
    parse: parse.text({ max: 255 }),
    default: 'channels',
    meaning:
      'Claim with the list of channel patterns that a user may subscribe to: lobby, sports.*, sports.>',
  },
  jwtDefaultChannels: {
    env: 'WEIR_JWT_DEFAULT_CHANNELS',
    parse: parse.list(channelPattern),
    default: [],
    meaning:
      'Channel patterns for user tokens without the claim of WEIR_JWT_CHANNELS_CLAIM; > is every channel',
  },
  allowedOrigins: {
    env: 'WEIR_ALLOWED_ORIGINS',
    parse: parse.list(parseAllowedOrigin),
    default: ['*'],
    meaning:
      'Origins of web pages that may connect (https://app.example, null, capacitor://localhost), compared exactly; * allows all origins',
  },
  requireOrigin: {
    env: 'WEIR_REQUIRE_ORIGIN',
    parse: parse.flag(),
    default: false,
    meaning: 'Whether the router refuses clients without an Origin header; browsers always send one',
  },
  trustedProxies: {
    env: 'WEIR_TRUSTED_PROXIES',
    parse: (text: string): readonly string[] => {
      parse.list(parseCidr)(text);
      return parse.list()(text);
    },
    default: [],
    meaning:
      'Addresses and ranges of proxies whose X-Forwarded-For and X-Forwarded-Proto the router trusts: 10.0.0.0/8,2001:db8::/32',
  },
  connectsPerSecondPerAddress: {
    env: 'WEIR_CONNECTS_PER_SECOND_PER_ADDRESS',
    parse: parse.number({ min: 0.01, max: 1_000_000 }),
    default: 50,
    unit: '1/s',
    meaning: 'Sustained rate of connects per IPv4 address or IPv6 /64; generous for offices behind NAT',
  },
  connectBurstPerAddress: {
    env: 'WEIR_CONNECT_BURST_PER_ADDRESS',
    parse: parse.int({ min: 1, max: 1_000_000 }),
    default: 200,
    meaning: 'Connects that one address may make in a burst',
  },
  floodConnects: {
    env: 'WEIR_FLOOD_CONNECTS',
    parse: parse.int({ min: 1, max: 1_000_000 }),
    default: 20,
    meaning:
      'Connects that the rate limit charges to the address of a client that floods or breaks the protocol',
  },
  maxAddresses: {
    env: 'WEIR_MAX_ADDRESSES',
    parse: parse.int({ min: 2, max: 10_000_000 }),
    default: 200_000,
    meaning: 'Maximum addresses that the rate limit remembers (about 200 bytes each)',
  },
  maxUsedHints: {
    env: 'WEIR_MAX_USED_HINTS',
    parse: parse.int({ min: 1, max: 10_000_000 }),
    default: 100_000,
    meaning:
      'Maximum used hints of moves that the router remembers, for two minutes each (about 150 bytes); further clients need their token',
  },
  maxPending: {
    env: 'WEIR_MAX_PENDING',
    parse: parse.int({ min: 1, max: 1_000_000 }),
    default: 5_000,
    meaning: 'Maximum clients under measurement; further clients get 503 with Retry-After',
  },
  maxSockets: {
    env: 'WEIR_MAX_SOCKETS',
    parse: parse.int({ min: 1, max: 1_000_000 }),
    default: 20_000,
    meaning:
      'Maximum open sockets, including those that have not sent their request yet and those that are closing',
  },
  headersTimeoutMs: {
    env: 'WEIR_HEADERS_TIMEOUT_MS',
    parse: parse.durationMs({ min: 100, max: 60_000 }),
    default: 8_000,
    unit: 'ms',
    meaning: 'Maximum time from connecting to the end of the request headers',
  },
  maxClientBytes: {
    env: 'WEIR_MAX_CLIENT_BYTES',
    parse: parse.bytes({ min: 1_024, max: 1_048_576 }),
    default: 65_536,
    unit: 'bytes',
    meaning:
      'Bytes that a client may send before the router closes it with 4029; a client needs to send nothing but pongs',
  },
  maxClientFrames: {
    env: 'WEIR_MAX_CLIENT_FRAMES',
    parse: parse.int({ min: 32, max: 100_000 }),
    default: 256,
    meaning:
      'Frames of any kind, including pongs and fragments, that a client may send before the router closes it with 4029; a frame may arrive in at most four pieces on average',
  },
  closingBytes: {
    env: 'WEIR_CLOSING_BYTES',
    parse: parse.bytes({ min: 1_024, max: 1_048_576 }),
    default: 65_536,
    unit: 'bytes',
    meaning:
      'Bytes that the router reads from a client that it is closing, to find its Close; after them it stops reading',
  },
  faultCloseMs: {
    env: 'WEIR_FAULT_CLOSE_MS',
    parse: parse.durationMs({ min: 300, max: 60_000 }),
    default: 3_000,
    unit: 'ms',
    meaning: 'Maximum time from the Close to the end of the socket of a client that broke the rules',
  },
  closeWaitMs: {
    env: 'WEIR_CLOSE_WAIT_MS',
    parse: parse.durationMs({ min: 100, max: 30_000 }),
    default: 2_000,
    unit: 'ms',
    meaning:
      'How long the router waits for the answer to its Close before it ends its half of the connection',
  },
  closeGraceMs: {
    env: 'WEIR_CLOSE_GRACE_MS',
    parse: parse.durationMs({ min: 100, max: 30_000 }),
    default: 3_000,
    unit: 'ms',
    meaning:
      'How long the connection may deliver pending bytes after WEIR_CLOSE_WAIT_MS before the router cuts it',
  },
  probeDeadlineMs: {
    env: 'WEIR_PROBE_DEADLINE_MS',
    parse: parse.durationMs({ min: 100, max: 10_000 }),
    default: DEFAULT_LIMITS.deadlineMs,
    unit: 'ms',
    meaning: 'Time after which an undecided client counts as slow',
  },
  probeMaxBytes: {
    env: 'WEIR_PROBE_MAX_BYTES',
    parse: parse.bytes({ min: 0, max: 1_048_576 }),
    default: DEFAULT_LIMITS.maxBytes,
    unit: 'bytes',
    meaning: 'Maximum bytes that the router sends to measure one client',
  },
  probeRateThresholdKbps: {
    env: 'WEIR_PROBE_RATE_THRESHOLD_KBPS',
    parse: parse.int({ min: 1, max: 1_000_000 }),
    default: DEFAULT_LIMITS.rateThresholdKbps,
    unit: 'kbit/s',
    meaning: 'Throughput from which a client is fast',
  },
  probeRttThresholdMs: {
    env: 'WEIR_PROBE_RTT_THRESHOLD_MS',
    parse: parse.durationMs({ min: 1, max: 10_000 }),
    default: DEFAULT_LIMITS.rttThresholdMs,
    unit: 'ms',
    meaning: 'Round-trip time from which a client is slow; raise it if one region serves the world',
  },
  probeBytesPerSecond: {
    env: 'WEIR_PROBE_BYTES_PER_SECOND',
    parse: parse.bytes({ min: 0, max: 10_737_418_240 }),
    default: 20_971_520,
    unit: 'bytes/s',
    meaning: 'Bytes per second of all probes together; above it the router measures only the round-trip time',
  },
  beatSilentMs: {
    env: 'WEIR_BEAT_SILENT_MS',
    parse: parse.durationMs({ min: 3_000, max: 60_000 }),
    default: 3_000,
    unit: 'ms',
    meaning: 'A shard without a heartbeat for this time gets no clients',
  },
  maxShards: {
    env: 'WEIR_MAX_SHARDS',
    parse: parse.int({ min: 1, max: 100_000 }),
    default: 2_000,
    meaning: 'Maximum shards in the shard table',
  },
  drainGraceMs: {
    env: 'WEIR_DRAIN_GRACE_MS',
    parse: parse.durationMs({ min: 0, max: 600_000 }),
    default: 0,
    unit: 'ms',
    meaning:
      'How long a stopping router continues to accept clients while it is unready, until load balancers have noticed',
  },
  ...kubernetesSettings,
  kubernetes: {
    ...kubernetesSettings.kubernetes,
    meaning:
      'How the router watches the endpoints of the shards, to send no client to a shard that leaves: not at all, as a pod, or by a kubeconfig file',
  },
  endpointSelector: {
    env: 'WEIR_ENDPOINT_SELECTOR',
    parse: selectorText,
    default: 'app.kubernetes.io/component=shard',
    meaning: 'Label selector of the EndpointSlices of the shards, which have the labels of their Services',
  },
});

function channelPattern(text: string): string {
  if (!isChannelPattern(text))
    throw new Error('must be a channel pattern such as lobby, sports.* or sports.>');
  return text;
}

/** The router's configuration. */
export type RouterConfig = ConfigOf<typeof settings>;

/** The configuration with limits lowered to the sockets that the process may open; a tenth of them is for refusals. */
export function fitted(config: RouterConfig, roomForSockets: number): RouterConfig {
  const maxSockets = Math.min(config.maxSockets, Math.floor(roomForSockets * 0.9));
  if (maxSockets === config.maxSockets) return config;
  return { ...config, maxSockets, maxPending: Math.min(config.maxPending, maxSockets) };
}

/** Problems of settings that contradict each other. */
export function rules(c: RouterConfig): readonly string[] {
  const problems = [...kubernetesRules(c)];
  const given = [c.jwtSecret, c.jwtJwksUrl].filter((value) => value !== undefined).length;
  if (c.auth === 'jwt' && given !== 1) {
    problems.push('WEIR_AUTH=jwt needs one of WEIR_JWT_SECRET and WEIR_JWT_JWKS_URL, and not both');
  }
  if (c.auth === 'none' && given > 0) {
    problems.push('WEIR_JWT_SECRET or WEIR_JWT_JWKS_URL is set, but WEIR_AUTH is none: set WEIR_AUTH=jwt');
  }
  const secret = c.jwtSecret;
  if (secret !== undefined && c.ticketKeys.some((key) => Buffer.from(key.secret).equals(secret))) {
    problems.push('WEIR_JWT_SECRET must not be one of WEIR_TICKET_KEYS');
  }
  if (c.maxPending > c.maxSockets) problems.push('WEIR_MAX_PENDING must not exceed WEIR_MAX_SOCKETS');
  if (c.connectBurstPerAddress < c.connectsPerSecondPerAddress) {
    problems.push(
      'WEIR_CONNECT_BURST_PER_ADDRESS must not be less than WEIR_CONNECTS_PER_SECOND_PER_ADDRESS',
    );
  }
  return problems;
}
