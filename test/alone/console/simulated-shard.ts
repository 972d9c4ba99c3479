// A shard as the console sees it: its beats and its figures, with counters that rise.
import type { Beat, Figures } from '@weir/fleet';

const BACKLOG_BOUNDS = [0, 1024, 4096, 16384, 32768, 65536, 131072, 262144, 524288, 1048576, 4194304, '+Inf'];
const LAG_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, '+Inf'];
const CAUSES = ['hardBytes', 'lag', 'cutOff', 'drain', 'left', 'lost', 'tokenExpired'];

const pools = ['desktop', 'mobile', 'tablet'] as const;

function poolOf(i: number): string {
  return pools[i % pools.length] ?? 'desktop';
}

/** The beat of shard `i` after so many seconds. */
export function beatOf(i: number, seconds: number): Beat {
  const wave = Math.sin(seconds / 20 + i);
  return {
    v: 1,
    pool: poolOf(i),
    shard: `weir-shard-${poolOf(i)}-${i}`,
    incarnation: `run-${i}`,
    url: `ws://10.0.${i >> 8}.${i & 255}:8081`,
    connections: 2_000 + Math.round(500 * wave),
    capacity: 4_000,
    backlogBytes: 1_000_000 + Math.round(400_000 * wave),
    healthyBacklogBytes: 800_000,
    awaitedBytes: 10_000,
    egressBytesPerSecond: 5_000_000 + 1_000_000 * wave,
    loopUtilisation: 0.3 + 0.1 * wave,
    tickLatenessMs: 1.5 + wave,
    draining: false,
    stale: false,
    ready: true,
    revision: 'abc',
    wallMs: Date.now(),
  };
}

/** Its figures: as many series as a real shard tells. */
export function figuresOf(i: number, seconds: number): Figures {
  const { shard, connections, backlogBytes } = beatOf(i, seconds);
  const series: Record<string, number> = {
    weir_nats_connected: 1,
    process_resident_memory_bytes: 180_000_000,
    process_cpu_seconds_total: seconds * 0.4,
    weir_shard_connections: connections,
    'weir_shard_connections_by_state{state="flowing"}': connections - 20,
    'weir_shard_connections_by_state{state="congested"}': 15,
    'weir_shard_connections_by_state{state="behind"}': 5,
    weir_shard_backlog_bytes: backlogBytes,
    weir_shard_written_bytes_total: seconds * 5_000_000,
    weir_shard_state_sent_total: seconds * 20_000,
    weir_shard_state_withheld_total: seconds * 100,
    weir_shard_critical_sent_total: seconds * 300,
    weir_shard_cosmetic_sent_total: seconds * 2_000,
    weir_shard_state_keys: 12_000,
    weir_shard_state_bytes: 3_000_000,
    weir_shard_critical_messages: 900,
    weir_shard_delivery_lag_seconds_sum: seconds * 100,
    weir_shard_connection_backlog_bytes_sum: seconds * 1e8,
  };
  for (const stream of ['state', 'critical'])
    series[`weir_shard_stream_sequence{stream="${stream}"}`] = seconds * 500;
  for (const lane of ['state', 'critical', 'cosmetic'])
    series[`weir_shard_intake_messages_total{lane="${lane}"}`] = seconds * 500;
  for (const outcome of ['admitted', 'expired', 'full', 'gone'])
    series[`weir_shard_admissions_total{outcome="${outcome}"}`] = seconds * 3;
  for (const cause of CAUSES) series[`weir_shard_closes_total{cause="${cause}"}`] = Math.floor(seconds / 2);
  for (const reason of ['drain', 'rebalance', 'tooSlow', 'promote'])
    series[`weir_shard_moves_total{reason="${reason}"}`] = Math.floor(seconds / 3);
  for (const [place, le] of BACKLOG_BOUNDS.entries())
    series[`weir_shard_connection_backlog_bytes_bucket{le="${le}"}`] = seconds * (place + 1) * 2_000;
  for (const [place, le] of LAG_BOUNDS.entries())
    series[`weir_shard_delivery_lag_seconds_bucket{le="${le}"}`] = seconds * (place + 1) * 1_500;
  const limits = {
    tickMs: 100,
    softBytes: 131_072,
    hardBytes: 524_288,
    lagMs: 10_000,
    stateMaxKeys: 100_000,
  };
  return { v: 1, service: 'shard', id: shard, version: '0.1.0', upMs: seconds * 1_000, limits, series };
}
