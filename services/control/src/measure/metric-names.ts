// The metrics that control serves to autoscalers: names, units and where in a beat each comes from. Pure.

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
    name: 'weir_shard_buffered_bytes_healthy',
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
    name: 'weir_shard_tick_lag_seconds',
    read: ({ tickLatenessMs }) => tickLatenessMs / 1000,
    windowSeconds,
  },
];
