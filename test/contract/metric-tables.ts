// The tables of all metrics that the services serve.
import { controlMetrics } from '@weir/control/dist/metrics.js';
import { publisherMetrics } from '@weir/publisher/dist/metrics.js';
import { routerMetrics } from '@weir/router/dist/metrics.js';
import type { MetricRow } from '@weir/runtime';
import { natsMetrics, processMetrics } from '@weir/runtime';
import { shardMetrics } from '@weir/shard/dist/main-thread/metrics.js';

const tables = { routerMetrics, shardMetrics, publisherMetrics, controlMetrics, processMetrics, natsMetrics };

export const metricRows: readonly MetricRow[] = Object.values(tables).flatMap((table) =>
  Object.values(table),
);
