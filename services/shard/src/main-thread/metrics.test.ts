import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { REACH_OUTCOMES } from './catch-up/reach.ts';
import { REJECT_REASONS } from './intake/accept.ts';
import { STREAM_PROBLEMS } from './intake/stream-reader.ts';
import { createShardMetrics, exposeReadings } from './metrics.ts';
import { SHED_OUTCOMES } from './shed/shedding.ts';

/** Value of every sample, by its name and labels as the text has them. */
async function samples(registry: Registry): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

describe('the series of a shard', () => {
  it('are all there from the start, at 0, and no event makes a new one (case E8)', async () => {
    const registry = new Registry();
    const metrics = createShardMetrics(registry);
    const before = await samples(registry);
    expect([...before.values()].every((value) => value === 0)).toBe(true);
    for (const reason of REJECT_REASONS) {
      for (const lane of ['state', 'critical', 'cosmetic', undefined] as const)
        metrics.rejected(lane, reason);
    }
    for (const lane of ['state', 'critical', 'cosmetic'] as const) metrics.accepted(lane);
    for (const stream of ['state', 'critical'] as const) {
      for (const problem of STREAM_PROBLEMS) metrics.intakeProblem(stream, problem);
    }
    for (const outcome of SHED_OUTCOMES) metrics.shed(outcome);
    for (const outcome of REACH_OUTCOMES) metrics.resumed(outcome);
    metrics.cosmeticDropped();
    metrics.tick(4);
    const after = await samples(registry);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, value] of after) {
      if (!name.includes('_bucket') && !name.includes('_sum')) expect([name, value]).toEqual([name, 1]);
    }
  });

  it('are named as the others are: base units, counters end in total', async () => {
    const registry = new Registry();
    createShardMetrics(registry);
    for (const { name, type, help } of await registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^weir_shard_[a-z_]+$/);
      expect(help.length).toBeGreaterThan(5);
      if (`${type}` === 'counter') expect(name).toMatch(/_total$/);
      if (`${type}` === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });

  it('measure times in seconds', async () => {
    const registry = new Registry();
    const metrics = createShardMetrics(registry);
    metrics.tick(1.5);
    const all = await samples(registry);
    expect(all.get('weir_shard_tick_lateness_seconds_sum')).toBe(0.0015);
  });
});

describe('readings', () => {
  it('are read when somebody looks, and only then', async () => {
    const registry = new Registry();
    const state = { open: 3, sent: 10, reads: 0 };
    exposeReadings(registry, {
      gauges: {
        connections: {
          help: 'Open connections',
          read: () => {
            state.reads++;
            return state.open;
          },
        },
      },
      counters: { sent_total: { help: 'Frames sent', read: () => state.sent } },
      histograms: {},
    });
    expect(state.reads).toBe(0);
    const first = await samples(registry);
    expect([first.get('weir_shard_connections'), first.get('weir_shard_sent_total')]).toEqual([3, 10]);
    state.open = 1;
    state.sent = 25;
    const second = await samples(registry);
    expect([second.get('weir_shard_connections'), second.get('weir_shard_sent_total')]).toEqual([1, 25]);
    expect(state.reads).toBe(2);
  });

  it('may have a label with known values', async () => {
    const registry = new Registry();
    const counts = { one: 1, two: 2 };
    exposeReadings(registry, {
      gauges: { things: { help: 'Things', label: 'kind', values: () => Object.entries(counts) } },
      counters: { things_total: { help: 'Things', label: 'kind', values: () => Object.entries(counts) } },
      histograms: {},
    });
    counts.two = 7;
    const all = await samples(registry);
    expect(all.get('weir_shard_things{kind="two"}')).toBe(7);
    expect(all.get('weir_shard_things_total{kind="one"}')).toBe(1);
  });

  it('may be histograms: buckets that add up, sum and count', async () => {
    const registry = new Registry();
    exposeReadings(registry, {
      gauges: {},
      counters: {},
      histograms: {
        lag_seconds: { help: 'Lag', bounds: [0.5, 2], read: () => ({ buckets: [3, 0, 4], sum: 99.5 }) },
      },
    });
    const text = await registry.metrics();
    expect(text).toContain('# TYPE weir_shard_lag_seconds histogram');
    expect([...(await samples(registry))]).toEqual([
      ['weir_shard_lag_seconds_bucket{le="0.5"}', 3],
      ['weir_shard_lag_seconds_bucket{le="2"}', 3],
      ['weir_shard_lag_seconds_bucket{le="+Inf"}', 7],
      ['weir_shard_lag_seconds_sum', 99.5],
      ['weir_shard_lag_seconds_count', 7],
    ]);
  });
});
