// Series read by name are those that a scrape shows.
import { expect, it } from 'vitest';
import { defineMetrics, registerMetrics } from './define-metrics.ts';
import { readSeries } from './read-series.ts';
import { createMetricsRegistry } from './registry.ts';

it('has the names and numbers of the text, without what is 0', async () => {
  const registry = createMetricsRegistry({ service: 'x', version: '1' });
  const { metrics, readFrom } = registerMetrics(
    registry,
    defineMetrics<number>()({
      ends: { kind: 'counter', name: 'ends_total', help: '-', labels: { how: ['left', 'cut'], why: ['a'] } },
      lag: { kind: 'histogram', name: 'lag_seconds', help: '-', buckets: [0.1, 1] },
      open: { kind: 'gauge', name: 'open', help: '-', read: (n) => n },
      queue: {
        kind: 'histogram',
        name: 'queue_bytes',
        help: '-',
        buckets: [1, 2],
        read: (n) => ({ buckets: [0, n, 1], sum: 7 }),
      },
    }),
  );
  readFrom(3);
  metrics.ends.inc({ how: 'left', why: 'a' }, 2);
  metrics.lag.observe(0.5);
  const series = await readSeries(registry, ['ends_total', 'lag_seconds', 'open', 'queue_bytes', 'missing']);
  expect(series).toEqual({
    'ends_total{how="left",why="a"}': 2,
    'lag_seconds_bucket{le="1"}': 1,
    'lag_seconds_bucket{le="+Inf"}': 1,
    lag_seconds_sum: 0.5,
    lag_seconds_count: 1,
    open: 3,
    'queue_bytes_bucket{le="2"}': 3,
    'queue_bytes_bucket{le="+Inf"}': 4,
    queue_bytes_sum: 7,
    queue_bytes_count: 4,
  });
  const text = await registry.metrics();
  for (const [name, value] of Object.entries(series)) expect(text).toContain(`${name} ${value}\n`);
});
