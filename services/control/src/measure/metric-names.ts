// The metrics that control serves to autoscalers: their names, and which number of a beat each is. A number that the
// shard's /metrics has too has the same name there. Pure.

/** What is measured of a shard at one moment. */
export interface Measured {
  readonly connections: number;
  readonly healthyBacklogBytes: number;
  readonly awaitedBytes: number;
  readonly egressBytesPerSecond: number;
  readonly loopUtilisation: number;
  readonly tickLatenessMs: number;
}

/** One metric. */
export interface MetricKind {
  readonly name: string;
  readonly read: (measured: Measured) => number;
  /** Over how many seconds it is a mean; 0 is the moment. */
  readonly windowSeconds: number;
}

const windowSeconds = 30;

/** All metrics, as `GET …/pods/*\/<name>` knows them. */
export const METRICS: readonly MetricKind[] = [
  { name: 'weir_shard_connections', read: ({ connections }) => connections, windowSeconds: 0 },
  {
    name: 'weir_shard_healthy_backlog_bytes',
    read: ({ healthyBacklogBytes }) => healthyBacklogBytes,
    windowSeconds,
  },
  { name: 'weir_shard_awaited_bytes', read: ({ awaitedBytes }) => awaitedBytes, windowSeconds },
  {
    name: 'weir_shard_egress_bytes_per_second',
    read: ({ egressBytesPerSecond }) => egressBytesPerSecond,
    windowSeconds,
  },
  {
    name: 'weir_shard_event_loop_utilization',
    read: ({ loopUtilisation }) => loopUtilisation,
    windowSeconds,
  },
  {
    name: 'weir_shard_tick_lateness_seconds',
    read: ({ tickLatenessMs }) => tickLatenessMs / 1000,
    windowSeconds,
  },
];

/** Old names by which control answers for one release, and the name that each has now. */
export const OLD_NAMES: ReadonlyMap<string, string> = new Map([
  ['weir_shard_buffered_bytes_healthy', 'weir_shard_healthy_backlog_bytes'],
  ['weir_shard_tick_lag_seconds', 'weir_shard_tick_lateness_seconds'],
]);

/** The metrics under their names, and under their old ones. */
export const SERVED: readonly MetricKind[] = [
  ...METRICS,
  ...[...OLD_NAMES].flatMap(([old, name]) =>
    METRICS.filter((kind) => kind.name === name).map((kind) => ({ ...kind, name: old })),
  ),
];
