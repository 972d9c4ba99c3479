import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { defineMetrics, NAMES, registerMetrics } from './define-metrics.ts';

/** Value of every sample, by its name and labels as in the text. */
async function samples(registry: Registry): Promise<Readonly<Record<string, number>>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

describe('rows that the code writes', () => {
  const table = defineMetrics()({
    plain: { kind: 'counter', name: 'plain_total', help: 'Plain' },
    closed: {
      kind: 'counter',
      name: 'closed_total',
      help: 'Closed',
      labels: { lane: ['state', 'critical'], reason: ['a', 'b'] },
    },
    named: { kind: 'counter', name: 'named_total', help: 'Named', labels: { pool: NAMES, outcome: ['x'] } },
    level: { kind: 'gauge', name: 'level', help: 'Level', labels: { lane: ['state'] } },
    took: { kind: 'histogram', name: 'took_seconds', help: 'Took', buckets: [1] },
  });

  it('start at 0 for every combination of known label values', async () => {
    const registry = new Registry();
    registerMetrics(registry, table);
    expect(await samples(registry)).toEqual({
      plain_total: 0,
      'closed_total{lane="state",reason="a"}': 0,
      'closed_total{lane="state",reason="b"}': 0,
      'closed_total{lane="critical",reason="a"}': 0,
      'closed_total{lane="critical",reason="b"}': 0,
      'took_seconds_bucket{le="1"}': 0,
      'took_seconds_bucket{le="+Inf"}': 0,
      took_seconds_sum: 0,
      took_seconds_count: 0,
    });
  });

  it('also start at 0 for names given at run time', async () => {
    const registry = new Registry();
    registerMetrics(registry, table, { pool: ['mobile', 'other'] });
    expect(Object.keys(await samples(registry)).filter((name) => name.startsWith('named'))).toEqual([
      'named_total{pool="mobile",outcome="x"}',
      'named_total{pool="other",outcome="x"}',
    ]);
  });

  it('take labels and values', async () => {
    const registry = new Registry();
    const { metrics } = registerMetrics(registry, table);
    metrics.plain.inc();
    metrics.plain.inc(2);
    metrics.closed.inc({ lane: 'state', reason: 'b' });
    metrics.level.set({ lane: 'state' }, 7);
    metrics.took.observe(0.5);
    // @ts-expect-error: not one of the values
    metrics.closed.inc({ lane: 'other', reason: 'b' }, 0);
    expect(await samples(registry)).toMatchObject({
      plain_total: 3,
      'closed_total{lane="state",reason="b"}': 1,
      'level{lane="state"}': 7,
      took_seconds_sum: 0.5,
    });
  });
});

describe('rows that a scrape reads', () => {
  interface Source {
    reads: number;
    open: number;
    readonly kinds: Record<'one' | 'two', number>;
  }
  const table = defineMetrics<Source>()({
    open: {
      kind: 'gauge',
      name: 'open_things',
      help: 'Open',
      was: 'things_that_are_open',
      read: (source) => {
        source.reads++;
        return source.open;
      },
    },
    things: {
      kind: 'counter',
      name: 'things_total',
      help: 'Things',
      labels: { kind: ['one', 'two'] },
      read: ({ kinds }) => Object.entries(kinds).map(([kind, value]) => [{ kind }, value]),
    },
    lag: {
      kind: 'histogram',
      name: 'lag_seconds',
      help: 'Lag',
      was: 'lag',
      buckets: [0.5, 2],
      read: () => ({ buckets: [3, 0, 4], sum: 99.5 }),
    },
  });

  it('are read at each scrape, and only then', async () => {
    const registry = new Registry();
    const source = { reads: 0, open: 3, kinds: { one: 1, two: 2 } };
    registerMetrics(registry, table).readFrom(source);
    expect(source.reads).toBe(0);
    expect(await samples(registry)).toMatchObject({ open_things: 3, 'things_total{kind="two"}': 2 });
    source.open = 1;
    source.kinds.two = 7;
    expect(await samples(registry)).toMatchObject({ open_things: 1, 'things_total{kind="two"}': 7 });
    // Once for the name, once for the old one.
    expect(source.reads).toBe(4);
  });

  it('are also served under their old names, which say so', async () => {
    const registry = new Registry();
    registerMetrics(registry, table).readFrom({ reads: 0, open: 3, kinds: { one: 1, two: 2 } });
    const text = await registry.metrics();
    expect(text).toContain('# HELP things_that_are_open Old name of open_things, served for one release\n');
    expect(text).toContain('\nthings_that_are_open 3\n');
    expect(text).toContain('\nlag_bucket{le="+Inf"} 7\n');
  });

  it('may be histograms: cumulative buckets, sum and count', async () => {
    const registry = new Registry();
    registerMetrics(registry, table).readFrom({ reads: 0, open: 3, kinds: { one: 1, two: 2 } });
    expect(await registry.metrics()).toContain('# TYPE lag_seconds histogram');
    expect(await samples(registry)).toMatchObject({
      'lag_seconds_bucket{le="0.5"}': 3,
      'lag_seconds_bucket{le="2"}': 3,
      'lag_seconds_bucket{le="+Inf"}': 7,
      lag_seconds_sum: 99.5,
      lag_seconds_count: 7,
    });
  });

  it('have no values before there is an object to read', async () => {
    const registry = new Registry();
    registerMetrics(registry, table);
    expect(await samples(registry)).toMatchObject({ open_things: 0, lag_seconds_count: 0 });
  });
});
