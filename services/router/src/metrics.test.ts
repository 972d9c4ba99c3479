import { createMetricsRegistry } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { entry } from './fakes/running-router.ts';
import { createRouterMetrics, largestSkewMs, metricsTable } from './metrics.ts';

describe('the metrics', () => {
  it('are exactly those of the table', async () => {
    const registry = createMetricsRegistry({ service: 'router', version: 'test' });
    const metrics = createRouterMetrics(registry);
    metrics.watchEndpoints(() => Number.POSITIVE_INFINITY);
    metrics.watch({
      pools: ['mobile', 'desktop'],
      clients: () => ({ open: 0, closing: 0 }),
      pending: () => 1,
      sockets: () => 2,
      networks: () => 3,
      usedHints: () => 4,
      entries: () => [],
      stale: () => true,
    });
    const ours = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('weir_router_'));
    const byName = (rows: readonly { name: string; help: string }[]): unknown =>
      rows.map(({ name, help }) => ({ name, help })).sort((a, b) => a.name.localeCompare(b.name));
    expect(byName(ours)).toEqual(byName(Object.values(metricsTable)));
    for (const { name, kind } of Object.values(metricsTable)) {
      expect(name.endsWith('_total')).toBe(kind === 'counter');
    }
  });

  it('are there from the start with 0, but for those of pools', async () => {
    const registry = createMetricsRegistry({ service: 'router', version: 'test' });
    createRouterMetrics(registry);
    const counters = (await registry.getMetricsAsJSON()).filter(
      ({ name }) => name.startsWith('weir_router_') && name.endsWith('_total'),
    );
    for (const { name, values } of counters) {
      const row = Object.values(metricsTable).find((each) => each.name === name);
      if (row?.labels?.includes('pool')) continue;
      expect([name, values.length > 0, values.every(({ value }) => value === 0)]).toEqual([name, true, true]);
    }
  });

  it('know pools of others only as other', async () => {
    const registry = createMetricsRegistry({ service: 'router', version: 'test' });
    const entries = [
      entry({ pool: 'mobile' }),
      entry({ pool: 'else' }),
      entry({ pool: 'more', draining: true }),
      entry({ pool: 'mobile', ready: false }),
      entry({ pool: 'mobile', stale: true, skewMs: -7_000 }),
      entry({ pool: 'mobile', connections: 1, capacity: 1, skewMs: 100 }),
    ];
    createRouterMetrics(registry).watch({
      pools: ['mobile'],
      clients: () => ({ open: 0, closing: 0 }),
      pending: () => 0,
      sockets: () => 0,
      networks: () => 0,
      usedHints: () => 0,
      entries: () => entries,
      stale: () => false,
    });
    const text = await registry.metrics();
    for (const line of [
      '{pool="mobile",state="serving"} 1',
      '{pool="mobile",state="stale"} 1',
      '{pool="mobile",state="full"} 1',
      '{pool="mobile",state="notReady"} 1',
      '{pool="other",state="serving"} 1',
      '{pool="other",state="draining"} 1',
      '{pool="other",state="full"} 0',
    ]) {
      expect(text).toContain(`weir_router_roster_shards${line}\n`);
    }
    expect(text).toContain('weir_router_beat_clock_skew_seconds -7\n');
    expect(largestSkewMs([])).toBe(0);
  });
});
