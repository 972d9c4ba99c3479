import type { Registry } from '@weir/runtime';
import { createMetricsRegistry } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { REACH_OUTCOMES } from './catch-up/reach.ts';
import { REJECT_REASONS } from './intake/rejected.ts';
import { STREAM_PROBLEMS } from './intake/stream-reader.ts';
import { createShardMetrics } from './metrics.ts';
import { SHED_OUTCOMES } from './shed/shedding.ts';

/** Value of every sample, by its name and labels as the text has them. */
async function samples(registry: Registry): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('weir_shard_'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

describe('the series of a shard', () => {
  it('are all there from the start, at 0, and no event makes a new one (case E8)', async () => {
    const registry = createMetricsRegistry({ service: 'shard', version: 'test' });
    const { metrics } = createShardMetrics(registry);
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
    const registry = createMetricsRegistry({ service: 'shard', version: 'test' });
    createShardMetrics(registry);
    for (const { name, type, help } of await registry.getMetricsAsJSON()) {
      if (!name.startsWith('weir_shard_')) continue;
      expect(name).toMatch(/^weir_shard_[a-z_]+$/);
      expect(help.length).toBeGreaterThan(5);
      if (`${type}` === 'counter') expect(name).toMatch(/_total$/);
      if (`${type}` === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });

  it('measure times in seconds', async () => {
    const registry = createMetricsRegistry({ service: 'shard', version: 'test' });
    const { metrics } = createShardMetrics(registry);
    metrics.tick(1.5);
    const all = await samples(registry);
    expect(all.get('weir_shard_tick_lateness_seconds_sum')).toBe(0.0015);
  });
});
