// The shard's settings, one table, and the rules between them. No other files of the shard than this one and config/ name
// environment variables; docs/config.md is generated from them.
import { availableParallelism } from 'node:os';
import type { StreamLimits } from '@weir/protocol';
import type { ConfigOf } from '@weir/runtime';
import { commonSettings, defineSettings } from '@weir/runtime';
import { capacity, MAX_THREADS } from './config/capacity.ts';
import { flow } from './config/flow.ts';
import { identity } from './config/identity.ts';
import { lanes } from './config/lanes.ts';
import { moves } from './config/moves.ts';

/** All settings. */
export const settings = defineSettings({
  ...commonSettings,
  adminPort: { ...commonSettings.adminPort, default: 9181 },
  shutdownDeadlineMs: { ...commonSettings.shutdownDeadlineMs, default: 60_000 },
  ...identity,
  ...capacity,
  ...flow,
  ...moves,
  ...lanes,
});

export type ShardConfig = ConfigOf<typeof settings>;

/** A pool's limits: the settings, or the defaults of the pool (docs/config.md, Shard). */
export function poolDefaults(config: ShardConfig): {
  readonly tickMs: number;
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly windowBytes: number;
  readonly lagMs: number;
  readonly compression: boolean;
  readonly demotion: boolean;
  readonly promotion: boolean;
  readonly redrawBytesPerSecond: number;
  readonly redrawBurstBytes: number;
} {
  const mobile = config.pool === 'mobile';
  const softBytes = config.softBytes ?? (mobile ? 32_768 : 131_072);
  return {
    tickMs: config.tickMs ?? (mobile ? 1_000 : 100),
    softBytes,
    hardBytes: config.hardBytes ?? (mobile ? 131_072 : 524_288),
    windowBytes: config.windowBytes,
    lagMs: config.lagMs ?? (mobile ? 20_000 : 10_000),
    compression: config.compression ?? mobile,
    demotion: config.demotion ?? !mobile,
    promotion: config.promotion ?? mobile,
    redrawBytesPerSecond: config.redrawBytesPerSecond ?? 8 * softBytes,
    redrawBurstBytes: config.redrawBurstBytes ?? 64 * softBytes,
  };
}

/** Limits of a stream that this shard creates. */
export function streamLimits(config: ShardConfig): StreamLimits {
  const { criticalMaxAgeMs, criticalMaxPerChannel, streamMaxBytes, streamReplicas } = config;
  return { criticalMaxAgeMs, criticalMaxPerChannel, maxBytes: streamMaxBytes, replicas: streamReplicas };
}

/** Files that a thread opens beside its clients: its loop, its listening socket and the duplicates of it. */
export const FILES_A_THREAD = 12;

/** The configuration with limits lowered to the sockets that the process may open; a part is for handshakes and refusals. */
export function fitted(config: ShardConfig, roomForSockets: number): ShardConfig {
  const room = Math.floor(roomForSockets * 0.9);
  if (config.capacity + config.maxPending <= room) return config;
  const maxPending = Math.min(config.maxPending, Math.max(Math.ceil(room / 5), room - config.capacity));
  return { ...config, maxPending, capacity: Math.min(config.capacity, room - maxPending) };
}

/** How many threads write to clients. */
export function threadsOf(config: ShardConfig): number {
  return config.threads ?? Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1));
}

/** Problems of settings that contradict each other. */
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
      `WEIR_SHUTDOWN_DEADLINE_MS (${config.shutdownDeadlineMs}) must be at least ${drainMs}, because a drain may take that long: WEIR_DRAIN_GRACE_MS, then WEIR_DRAIN_WINDOW_MS or WEIR_CAPACITY / WEIR_MOVES_PER_SECOND, then WEIR_DRAIN_WITHIN_MS and ${CLOSING_MS} ms`,
    );
  }
  return problems;
}

/** Time in which the shard closes the clients that are left at the end of a drain. */
const CLOSING_MS = 3_000;

/** Time in which a drain must have asked all clients to move, to end before the shutdown deadline. */
export function drainMovesMs(config: ShardConfig): number {
  return config.shutdownDeadlineMs - config.drainGraceMs - config.drainWithinMs - CLOSING_MS;
}

function longestDrainMs(config: ShardConfig): number {
  const pacedMs = Math.ceil((config.capacity / config.movesPerSecond) * 1_000);
  return config.drainGraceMs + Math.max(config.drainWindowMs, pacedMs) + config.drainWithinMs + CLOSING_MS;
}
