import { createMetricsRegistry } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { entry } from './fakes/shard-entry.ts';
import type { RouterReadings } from './metrics.ts';
import { createRouterMetrics, largestSkewMs, routerMetrics } from './metrics.ts';

function setUp(given: Partial<RouterReadings> = {}): ReturnType<typeof createMetricsRegistry> {
  const registry = createMetricsRegistry({ service: 'router', version: 'test' });
  createRouterMetrics(registry).readFrom({
    pools: ['mobile', 'desktop'],
    clients: () => ({ open: 5, closing: 6 }),
    pending: () => 1,
    sockets: () => 2,
    networks: () => 3,
    usedHints: () => 4,
    shards: { entries: () => [], stale: true, endpointAgeMs: Number.POSITIVE_INFINITY },
    ...given,
  });
  return registry;
}

describe('the metrics', () => {
  it('are exactly those of the table', async () => {
    const ours = (await setUp().getMetricsAsJSON()).filter(({ name }) => name.startsWith('weir_router_'));
    const byName = (rows: readonly { name: string; help: string }[]): unknown =>
      rows.map(({ name, help }) => ({ name, help })).sort((a, b) => a.name.localeCompare(b.name));
    expect(byName(ours)).toEqual(byName(Object.values(routerMetrics)));
    for (const { name, kind } of Object.values(routerMetrics)) {
      expect(name.endsWith('_total')).toBe(kind === 'counter');
    }
  });

  it('are there from the start with 0, but for those of pools', async () => {
    const counters = (await setUp().getMetricsAsJSON()).filter(
      ({ name }) => name.startsWith('weir_router_') && name.endsWith('_total'),
    );
    for (const { name, values } of counters) {
      const row = Object.values(routerMetrics).find((each) => each.name === name);
      if (row !== undefined && 'labels' in row && 'pool' in row.labels) continue;
      expect([name, values.length > 0, values.every(({ value }) => value === 0)]).toEqual([name, true, true]);
    }
  });

  it('read what is true at the scrape', async () => {
    const text = await setUp({
      shards: { entries: () => [], stale: false, endpointAgeMs: 1_500 },
    }).metrics();
    for (const line of [
      'pending_clients 1',
      'open_sockets 2',
      'rate_limit_networks 3',
      'used_hints 4',
      'open_clients 5',
      'closing_clients 6',
      'roster_stale 0',
      'endpoint_view_age_seconds 1.5',
    ]) {
      expect(text).toContain(`weir_router_${line}\n`);
    }
    expect(await setUp().metrics()).toContain('weir_router_endpoint_view_age_seconds -1\n');
  });

  it('know pools of others only as other', async () => {
    const entries = [
      entry({ pool: 'mobile' }),
      entry({ pool: 'else' }),
      entry({ pool: 'more', draining: true }),
      entry({ pool: 'mobile', ready: false }),
      entry({ pool: 'mobile', stale: true, skewMs: -7_000 }),
      entry({ pool: 'mobile', connections: 1, capacity: 1, skewMs: 100 }),
    ];
    const text = await setUp({
      pools: ['mobile'],
      shards: { entries: () => entries, stale: false, endpointAgeMs: 0 },
    }).metrics();
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
