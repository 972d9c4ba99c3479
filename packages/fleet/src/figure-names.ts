// The series that each service tells the console, by the names of docs/metrics.md. The list decides what an answer
// costs: a process reads these and no others.
import type { FigureService } from './figures.ts';

const everyService = [
  'weir_nats_connected',
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
] as const;

export const FIGURE_NAMES: Readonly<Record<FigureService, readonly string[]>> = {
  shard: [
    ...everyService,
    'weir_shard_connections',
    'weir_shard_connections_by_state',
    'weir_shard_backlog_bytes',
    'weir_shard_connection_backlog_bytes',
    'weir_shard_delivery_lag_seconds',
    'weir_shard_written_bytes_total',
    'weir_shard_state_sent_total',
    'weir_shard_state_withheld_total',
    'weir_shard_critical_sent_total',
    'weir_shard_cosmetic_sent_total',
    'weir_shard_intake_messages_total',
    'weir_shard_intake_rejected_total',
    'weir_shard_intake_problems_total',
    'weir_shard_stream_sequence',
    'weir_shard_admissions_total',
    'weir_shard_closes_total',
    'weir_shard_moves_total',
    'weir_shard_merged_ticks_total',
    'weir_shard_thread_deaths_total',
    'weir_shard_lost_state_keys',
    'weir_shard_state_keys',
    'weir_shard_state_bytes',
    'weir_shard_critical_messages',
  ],
  router: [
    ...everyService,
    'weir_router_upgrades_total',
    'weir_router_connects_total',
    'weir_router_refusals_total',
    'weir_router_classes_total',
    'weir_router_placements_total',
    'weir_router_probes_total',
    'weir_router_pending_clients',
    'weir_router_roster_stale',
  ],
  publisher: [
    ...everyService,
    'weir_publisher_messages_total',
    'weir_publisher_invalid_messages_total',
    'weir_publisher_refused_requests_total',
  ],
};
