// The shard's settings, one table. The only file that names environment variables; docs/config.md is made from it.
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { TicketKey } from '@weir/protocol';
import { defaultStreamLimits, isToken, limits, parseBaseUrl, parseTicketKeys } from '@weir/protocol';
import type { ConfigOf, OptionalSetting, Setting } from '@weir/runtime';
import { commonSettings, parse } from '@weir/runtime';

/** Most threads of a shard. */
const MAX_THREADS = 64;

function token(text: string): string {
  if (!isToken(text, 64)) throw new Error('must be letters, digits, - and _, at most 64 of them');
  return text;
}

/** The settings that only the shard has; their meaning is in the table. */
interface ShardValues {
  readonly host: string;
  readonly port: number;
  readonly pool: string;
  readonly shardId: string;
  readonly publicUrl: string | undefined;
  readonly routerUrl: string;
  readonly ticketKeys: readonly TicketKey[];
  readonly revision: string | undefined;
  readonly capacity: number;
  readonly threads: number | undefined;
  readonly threadStuckMs: number;
  readonly maxPending: number;
  readonly maxUsedTickets: number;
  readonly tickMs: number | undefined;
  readonly softBytes: number | undefined;
  readonly hardBytes: number | undefined;
  readonly lagMs: number | undefined;
  readonly demotion: boolean | undefined;
  readonly demotionLagMs: number;
  readonly minStayMs: number;
  readonly promotion: boolean | undefined;
  readonly promotionHealthMs: number;
  readonly promotionRttMs: number;
  readonly promotionLagMs: number;
  readonly promotionMinBytes: number;
  readonly moveBackoffMs: number;
  readonly moveBackoffMaxMs: number;
  readonly compression: boolean | undefined;
  readonly compressionMinBytes: number;
  readonly pingMs: number;
  readonly pingBytes: number;
  readonly idlePingMs: number;
  readonly positionMs: number;
  readonly idlePositionMs: number;
  readonly maxFrameBytes: number;
  readonly maxMessageBytes: number;
  readonly maxDepth: number;
  readonly stateMaxKeys: number;
  readonly stateMaxBytes: number;
  readonly stateDeletionMs: number;
  readonly criticalMaxAgeMs: number;
  readonly criticalMaxPerChannel: number;
  readonly criticalMaxBytes: number;
  readonly cosmeticMaxPerTick: number;
  readonly cosmeticMaxBytesPerTick: number;
  readonly streamMaxBytes: number;
  readonly streamReplicas: number;
  readonly verifyMs: number;
  readonly clientMessagesPerSecond: number;
  readonly clientMessageBurst: number;
  readonly drainGraceMs: number;
  readonly drainWindowMs: number;
  readonly drainWithinMs: number;
  readonly movesPerSecond: number;
}

type TableOf<C> = {
  readonly [K in keyof C]: undefined extends C[K] ? OptionalSetting<Exclude<C[K], undefined>> : Setting<C[K]>;
};

interface Row<T> {
  readonly env: string;
  readonly default: T;
  readonly meaning: string;
}

function ms({
  min = 1,
  max = 3_600_000,
  ...row
}: Row<number> & { min?: number; max?: number }): Setting<number> {
  return { ...row, parse: parse.durationMs({ min, max }), unit: 'ms' };
}

function bytes({
  min = 1,
  max = 1e11,
  ...row
}: Row<number> & { min?: number; max?: number }): Setting<number> {
  return { ...row, parse: parse.bytes({ min, max }), unit: 'bytes' };
}

function count({
  min = 1,
  max = 1e9,
  ...row
}: Row<number> & { min?: number; max?: number }): Setting<number> {
  return { ...row, parse: parse.int({ min, max }) };
}

/** All settings. */
export const settings: typeof commonSettings & TableOf<ShardValues> = {
  ...commonSettings,
  shutdownDeadlineMs: { ...commonSettings.shutdownDeadlineMs, default: 60_000 },
  host: {
    env: 'WEIR_HOST',
    parse: parse.text({ max: 255 }),
    default: '0.0.0.0',
    meaning: 'Address to listen on for clients; :: is IPv6 and IPv4',
  },
  port: {
    env: 'WEIR_PORT',
    parse: parse.port(),
    default: 8081,
    meaning: 'Port to listen on for clients; 0 picks a free one',
  },
  pool: {
    env: 'WEIR_POOL',
    parse: token,
    meaning: 'The pool that this shard serves: mobile, desktop or one of yours',
  },
  shardId: {
    env: 'WEIR_SHARD_ID',
    parse: token,
    default: `shard-${randomBytes(6).toString('hex')}`,
    meaning: 'Name of this shard, unique in the cluster; the pod name in Kubernetes, else random',
  },
  publicUrl: {
    env: 'WEIR_PUBLIC_URL',
    parse: parseBaseUrl,
    optional: true,
    meaning: 'Where clients reach this shard, ws:// or wss://; by default ws://127.0.0.1 and its port',
  },
  routerUrl: {
    env: 'WEIR_ROUTER_URL',
    parse: parseBaseUrl,
    meaning: 'Public URL of the router, where moved clients are sent',
  },
  ticketKeys: {
    env: 'WEIR_TICKET_KEYS',
    parse: parseTicketKeys,
    secret: true,
    meaning: 'Keys of tickets and hints, kid:base64url-secret, comma separated: the same as the router has',
  },
  revision: {
    env: 'WEIR_REVISION',
    parse: token,
    optional: true,
    meaning: 'Rollout that this shard belongs to (the pod-template-hash); newer ones get new clients first',
  },
  capacity: count({
    env: 'WEIR_CAPACITY',
    default: 16_000,
    max: 1e6,
    meaning: 'Connections that this shard takes',
  }),
  threads: {
    env: 'WEIR_THREADS',
    parse: parse.int({ min: 1, max: MAX_THREADS }),
    optional: true,
    meaning: 'Threads that write to clients; by default one less than the cores that this process may use',
  },
  threadStuckMs: ms({
    env: 'WEIR_THREAD_STUCK_MS',
    default: 10_000,
    min: 1_000,
    meaning:
      'Time without a sign of life after which a thread is replaced; its clients come back by the router',
  }),
  maxPending: count({
    env: 'WEIR_MAX_PENDING',
    default: 2_000,
    max: 1e6,
    meaning: 'Handshakes under way at a time',
  }),
  maxUsedTickets: count({
    env: 'WEIR_MAX_USED_TICKETS',
    default: 200_000,
    max: 1e7,
    meaning: 'Used tickets that are remembered until they have expired',
  }),
  tickMs: {
    env: 'WEIR_TICK_MS',
    parse: parse.durationMs({ min: 10, max: 60_000 }),
    optional: true,
    unit: 'ms',
    meaning: 'Broadcast period of state and cosmetic data; by default 1000 in a pool called mobile, else 100',
  },
  softBytes: {
    env: 'WEIR_SOFT_BYTES',
    parse: parse.bytes({ min: 4_096, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Backlog above which state is withheld and cosmetic dropped; by default 32 KB in mobile, else 128 KB',
  },
  hardBytes: {
    env: 'WEIR_HARD_BYTES',
    parse: parse.bytes({ min: 8_192, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning: 'Backlog above which a connection is evicted; by default 128 KB in mobile, else 512 KB',
  },
  lagMs: {
    env: 'WEIR_LAG_MS',
    parse: parse.durationMs({ min: 1_000, max: 600_000 }),
    optional: true,
    unit: 'ms',
    meaning:
      'Time without any proof of delivery after which a connection is evicted; by default 20 s in mobile, else 10 s',
  },
  demotion: {
    env: 'WEIR_DEMOTION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether clients that are too slow for this pool are asked to be measured again; by default in all pools but mobile',
  },
  demotionLagMs: ms({
    env: 'WEIR_DEMOTION_LAG_MS',
    default: 3_000,
    min: 100,
    meaning: 'Delivery lag of a client that is too slow for this pool',
  }),
  minStayMs: ms({
    env: 'WEIR_MIN_STAY_MS',
    default: 60_000,
    min: 0,
    meaning:
      'Shortest stay in a pool before a client is asked to be measured again, and on a shard before it is rebalanced',
  }),
  promotion: {
    env: 'WEIR_PROMOTION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether clients that are well enough for a faster pool are asked to be measured again; by default in mobile and nowhere else',
  },
  promotionHealthMs: ms({
    env: 'WEIR_PROMOTION_HEALTH_MS',
    default: 60_000,
    min: 1_000,
    meaning: 'How long a client must have been well before it is asked to be measured for a faster pool',
  }),
  promotionRttMs: ms({
    env: 'WEIR_PROMOTION_RTT_MS',
    default: 220,
    meaning:
      "Delivery lag that such a client reached in that time; raise it together with the router's WEIR_PROBE_RTT_THRESHOLD_MS",
  }),
  promotionLagMs: ms({
    env: 'WEIR_PROMOTION_LAG_MS',
    default: 500,
    meaning: 'Delivery lag that such a client never exceeded in that time',
  }),
  promotionMinBytes: bytes({
    env: 'WEIR_PROMOTION_MIN_BYTES',
    default: 16_384,
    min: 0,
    meaning: 'Bytes that such a client got in that time: less proves nothing',
  }),
  moveBackoffMs: ms({
    env: 'WEIR_MOVE_BACKOFF_MS',
    default: 120_000,
    min: 1_000,
    meaning:
      'Stay of a moved client before it is asked to move up, or again for nothing; twice as long after each further move',
  }),
  moveBackoffMaxMs: ms({
    env: 'WEIR_MOVE_BACKOFF_MAX_MS',
    default: 1_800_000,
    min: 1_000,
    meaning: 'Longest of these stays; after one twice as long, earlier moves are forgotten',
  }),
  compression: {
    env: 'WEIR_COMPRESSION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether clients that offer permessage-deflate get compressed messages; by default in mobile and nowhere else',
  },
  compressionMinBytes: count({
    env: 'WEIR_COMPRESSION_MIN_BYTES',
    default: 128,
    min: 0,
    max: 30_000,
    meaning: 'Bytes below which a message is stored, not compressed, in a compressed connection',
  }),
  pingMs: ms({
    env: 'WEIR_PING_MS',
    default: 1_000,
    min: 100,
    meaning: 'Time between two pings while data flows',
  }),
  pingBytes: bytes({
    env: 'WEIR_PING_BYTES',
    default: 65_536,
    meaning: 'Bytes after which a ping is due at once',
  }),
  idlePingMs: ms({
    env: 'WEIR_IDLE_PING_MS',
    default: 15_000,
    min: 1_000,
    meaning: 'Time between two pings of a quiet connection',
  }),
  positionMs: ms({
    env: 'WEIR_POSITION_MS',
    default: 1_000,
    min: 100,
    max: 1_000,
    meaning: 'Time between two positions while data flows',
  }),
  idlePositionMs: ms({
    env: 'WEIR_IDLE_POSITION_MS',
    default: 10_000,
    min: 1_000,
    meaning: 'Time between two positions while only other channels have data',
  }),
  maxFrameBytes: bytes({
    env: 'WEIR_MAX_FRAME_BYTES',
    default: limits.frameBytes,
    min: 20_000,
    max: limits.frameBytes,
    meaning: 'Largest text frame, before compression',
  }),
  maxMessageBytes: bytes({
    env: 'WEIR_MAX_MESSAGE_BYTES',
    default: limits.messageBytes,
    max: limits.messageBytes,
    meaning: 'Largest published payload',
  }),
  maxDepth: count({
    env: 'WEIR_MAX_DEPTH',
    default: limits.depth,
    max: limits.depth,
    meaning: 'Deepest nesting of a published payload',
  }),
  stateMaxKeys: count({
    env: 'WEIR_STATE_MAX_KEYS',
    default: 1_000_000,
    meaning: 'State keys of all channels, remembered deletions included',
  }),
  stateMaxBytes: bytes({
    env: 'WEIR_STATE_MAX_BYTES',
    default: 268_435_456,
    meaning: 'State values of all channels',
  }),
  stateDeletionMs: ms({
    env: 'WEIR_STATE_DELETION_MS',
    default: 600_000,
    min: 1_000,
    max: 86_400_000,
    meaning: 'How long a deletion is remembered',
  }),
  criticalMaxAgeMs: ms({
    env: 'WEIR_CRITICAL_MAX_AGE_MS',
    default: defaultStreamLimits.criticalMaxAgeMs,
    min: 1_000,
    max: 86_400_000,
    meaning: 'Retention window of critical messages',
  }),
  criticalMaxPerChannel: count({
    env: 'WEIR_CRITICAL_MAX_PER_CHANNEL',
    default: defaultStreamLimits.criticalMaxPerChannel,
    max: 1e7,
    meaning: 'Critical messages that are kept for a channel',
  }),
  criticalMaxBytes: bytes({
    env: 'WEIR_CRITICAL_MAX_BYTES',
    default: 134_217_728,
    meaning: 'Critical messages of all channels that a shard keeps',
  }),
  cosmeticMaxPerTick: count({
    env: 'WEIR_COSMETIC_MAX_PER_TICK',
    default: 10_000,
    meaning: 'Cosmetic messages of all channels in a tick',
  }),
  cosmeticMaxBytesPerTick: bytes({
    env: 'WEIR_COSMETIC_MAX_BYTES_PER_TICK',
    default: 1_048_576,
    meaning: 'Cosmetic bytes of all channels in a tick',
  }),
  streamMaxBytes: bytes({
    env: 'WEIR_STREAM_MAX_BYTES',
    default: defaultStreamLimits.maxBytes,
    min: 1_048_576,
    meaning: 'Largest size of each JetStream stream',
  }),
  streamReplicas: count({
    env: 'WEIR_STREAM_REPLICAS',
    default: 1,
    max: 5,
    meaning: 'Replicas of each JetStream stream',
  }),
  verifyMs: ms({
    env: 'WEIR_VERIFY_MS',
    default: 5_000,
    min: 200,
    max: 10_000,
    meaning: 'Longest time between two looks at the streams',
  }),
  clientMessagesPerSecond: count({
    env: 'WEIR_CLIENT_MESSAGES_PER_SECOND',
    default: 10,
    max: 10_000,
    meaning: 'Messages and pings a client may send in the long run',
  }),
  clientMessageBurst: count({
    env: 'WEIR_CLIENT_MESSAGE_BURST',
    default: 40,
    max: 10_000,
    meaning: 'Messages and pings a client may send at once',
  }),
  drainGraceMs: ms({
    env: 'WEIR_DRAIN_GRACE_MS',
    default: 10_000,
    min: 0,
    meaning: 'Time between saying draining and the first move',
  }),
  drainWindowMs: ms({
    env: 'WEIR_DRAIN_WINDOW_MS',
    default: 20_000,
    min: 100,
    meaning: 'Time over which the moves of a drain are spread',
  }),
  drainWithinMs: ms({
    env: 'WEIR_DRAIN_WITHIN_MS',
    default: 5_000,
    min: 100,
    meaning: 'Time that a moved client has to be gone',
  }),
  movesPerSecond: count({
    env: 'WEIR_MOVES_PER_SECOND',
    default: 500,
    min: 10,
    max: 100_000,
    meaning: 'Moves a second at most, in a drain and for the balance of the pool',
  }),
};

export type ShardConfig = ConfigOf<typeof settings>;

/** A pool's limits where nothing else is set (design section 7). */
export function poolDefaults(config: ShardConfig): {
  readonly tickMs: number;
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly lagMs: number;
  readonly compression: boolean;
  readonly demotion: boolean;
  readonly promotion: boolean;
} {
  const mobile = config.pool === 'mobile';
  return {
    tickMs: config.tickMs ?? (mobile ? 1_000 : 100),
    softBytes: config.softBytes ?? (mobile ? 32_768 : 131_072),
    hardBytes: config.hardBytes ?? (mobile ? 131_072 : 524_288),
    lagMs: config.lagMs ?? (mobile ? 20_000 : 10_000),
    compression: config.compression ?? mobile,
    demotion: config.demotion ?? !mobile,
    promotion: config.promotion ?? mobile,
  };
}

/** How many threads write to clients. */
export function threadsOf(config: ShardConfig): number {
  return config.threads ?? Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1));
}

/** What must hold between settings. */
export function rules(config: ShardConfig): readonly string[] {
  const { softBytes, hardBytes } = poolDefaults(config);
  const problems: string[] = [];
  if (softBytes >= hardBytes)
    problems.push(`WEIR_SOFT_BYTES (${softBytes}) must be less than WEIR_HARD_BYTES (${hardBytes})`);
  if (config.maxMessageBytes + 512 > config.maxFrameBytes) {
    problems.push('WEIR_MAX_MESSAGE_BYTES must be at least 512 bytes less than WEIR_MAX_FRAME_BYTES');
  }
  if (config.promotionRttMs > config.promotionLagMs)
    problems.push('WEIR_PROMOTION_RTT_MS must not exceed WEIR_PROMOTION_LAG_MS');
  if (config.moveBackoffMs > config.moveBackoffMaxMs)
    problems.push('WEIR_MOVE_BACKOFF_MS must not exceed WEIR_MOVE_BACKOFF_MAX_MS');
  const drainMs = longestDrainMs(config);
  if (drainMs > config.shutdownDeadlineMs) {
    problems.push(
      `WEIR_SHUTDOWN_DEADLINE_MS (${config.shutdownDeadlineMs}) must be at least ${drainMs}, since a drain may take that long: WEIR_DRAIN_GRACE_MS, then WEIR_DRAIN_WINDOW_MS or WEIR_CAPACITY / WEIR_MOVES_PER_SECOND, then WEIR_DRAIN_WITHIN_MS and ${CLOSING_MS} ms`,
    );
  }
  return problems;
}

/** Time in which those who are still here at the end of a drain are closed. */
const CLOSING_MS = 3_000;

function longestDrainMs(config: ShardConfig): number {
  const pacedMs = Math.ceil((config.capacity / config.movesPerSecond) * 1_000);
  return config.drainGraceMs + Math.max(config.drainWindowMs, pacedMs) + config.drainWithinMs + CLOSING_MS;
}
