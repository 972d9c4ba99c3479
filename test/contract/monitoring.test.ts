// Holds alerts and dashboards against the metrics that the services serve, and the runbook against the alerts. promtool
// checks the rules and runs their examples where it is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createMetricsRegistry, NAMES } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricRows } from './metric-tables.ts';
import { parseExpression, type Selector } from './promql.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RULES = 'deploy/prometheus/rules.yaml';
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

interface Target {
  readonly expr: string;
  readonly legendFormat?: string;
}

interface Dashboard {
  readonly uid: string;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly Target[];
  }[];
}

const rules: readonly Rule[] = parse(read(RULES)).groups[0].rules;
const ofChart: readonly Rule[] = parse(read('charts/weir/files/alerts.yaml'));
const dashboards: readonly Dashboard[] = ['cluster', 'shard'].map((name) =>
  JSON.parse(read(`deploy/grafana/${name}.json`)),
);

/** Labels that the scrape adds (docs/operations.md), and that Prometheus adds to each target. */
const OF_THE_SCRAPE = ['namespace', 'pod', 'weir_dev_pool', 'job', 'instance'];
/** What Prometheus itself writes: its labels are those of the alerts. */
const OF_PROMETHEUS = ['ALERTS'];

/** By series: its labels with their values, or `NAMES`. */
const known = new Map<string, Readonly<Record<string, readonly string[] | typeof NAMES>>>();
for (const { name, kind, labels = {} } of metricRows) {
  if (kind !== 'histogram') known.set(name, labels);
  else for (const end of ['bucket', 'sum', 'count']) known.set(`${name}_${end}`, { ...labels, le: NAMES });
}
for (const metric of await createMetricsRegistry({ service: 'shard', version: '0' }).getMetricsAsJSON()) {
  if (known.has(metric.name)) continue;
  const labels = metric.values.flatMap((value) => Object.keys(value.labels));
  for (const name of [metric.name, `${metric.name}_sum`])
    known.set(name, Object.fromEntries(['kind', ...labels].map((label) => [label, NAMES])));
}

/** What is wrong with the series of an expression, in words. */
function faultsOf(expr: string): readonly string[] {
  const { selectors, groupedBy, faults } = parseExpression(expr);
  const series = selectors.filter(({ name }) => !OF_PROMETHEUS.includes(name));
  const grouped = series.length === 0 ? [] : groupedBy;
  return [
    ...faults,
    ...series.flatMap(faultsOfSelector),
    ...grouped
      .filter((label) => !series.some(({ name }) => labelsOf(name).includes(label)))
      .map((label) => `grouped by ${label}`),
  ].map((fault) => `${fault}: ${expr}`);
}

function labelsOf(name: string): readonly string[] {
  return [...OF_THE_SCRAPE, ...Object.keys(known.get(name) ?? {})];
}

function faultsOfSelector({ name, matchers }: Selector): readonly string[] {
  const labels = known.get(name);
  if (labels === undefined) return [`no series ${name}`];
  return matchers.flatMap(({ label, regex, value }) => {
    if (OF_THE_SCRAPE.includes(label)) return [];
    const values = labels[label];
    if (values === undefined) return [`${name} has no label ${label}`];
    const wanted = regex ? value.split('|') : [value];
    return values === NAMES ? [] : wanted.filter((one) => !values.includes(one));
  });
}

/** Labels that a legend names. */
const named = (legend = ''): readonly string[] =>
  [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, one = '']) => one);

describe('alerts', () => {
  it('read series and labels that the services serve', () => {
    expect([...rules, ...ofChart].flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  it('name labels in their texts that their expressions keep', () => {
    for (const { alert, expr, annotations } of rules) {
      const { groupedBy, selectors } = parseExpression(expr);
      const kept = groupedBy.length > 0 ? groupedBy : selectors.flatMap(({ name }) => labelsOf(name));
      const used = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      expect([alert, used.filter((label) => !kept.includes(label))]).toEqual([alert, []]);
    }
  });

  it('of the chart are those of every Prometheus, in the namespace of the release', () => {
    expect(ofChart.map(({ alert }) => alert)).toEqual(rules.map(({ alert }) => alert));
    for (const [at, { expr }] of ofChart.entries()) {
      const { selectors } = parseExpression(expr);
      for (const { matchers } of selectors)
        expect(matchers).toContainEqual({ label: 'namespace', regex: false, value: '@NAMESPACE@' });
      const everywhere = expr.replaceAll(/namespace="@NAMESPACE@"(?:, )?/g, '').replaceAll('{}', '');
      expect(everywhere).toBe(rules[at]?.expr);
    }
  });

  it('have a section of the runbook each, and each section has an alert', () => {
    const sections = read('docs/runbook.md').split(/^## /m).slice(1);
    const alerts = sections.filter((section) => section.startsWith('Weir'));
    expect(alerts.map((section) => section.split('\n')[0])).toEqual(rules.map(({ alert }) => alert));
    const parts = ['What it means', 'What to look at', 'What to do', 'Try it out'];
    for (const section of alerts)
      expect(
        parts.filter((part) => !section.includes(`**${part}.**`)),
        section.slice(0, 30),
      ).toEqual([]);
    for (const { alert, annotations } of [...rules, ...ofChart])
      expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  const promtool = (
    ...args: readonly string[]
  ): { readonly status: number | null; readonly said: string } => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ROOT, encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  };
  it.skipIf(promtool('--version').status !== 0)(
    'pass promtool, and fire and hold as their examples say',
    () => {
      for (const args of [
        ['check', 'rules', '--lint=all', '--lint-fatal', RULES],
        ['test', 'rules', 'test/contract/alerts.promtool.yaml'],
      ])
        expect(promtool(...args)).toMatchObject({ status: 0 });
    },
  );

  it('have an example each', () => {
    const examples = read('test/contract/alerts.promtool.yaml');
    const fired = [...examples.matchAll(/labels: '\{alertname="(\w+)"/g)].map(([, alert]) => alert);
    expect(rules.map(({ alert }) => alert).filter((alert) => !fired.includes(alert))).toEqual([]);
  });
});

describe.each(dashboards)('the dashboard $uid', ({ templating, panels }) => {
  const targets = panels.flatMap(({ title, targets: of = [] }) => of.map((target) => ({ title, ...target })));

  it('reads series and labels that the services serve', () => {
    expect(targets.length).toBeGreaterThan(40);
    expect(targets.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  it('names labels in its legends that its expressions keep', () => {
    for (const { title, expr, legendFormat } of targets) {
      const { groupedBy, selectors } = parseExpression(expr);
      const kept = groupedBy.length > 0 ? groupedBy : selectors.flatMap(({ name }) => labelsOf(name));
      expect([title, named(legendFormat).filter((label) => !kept.includes(label))]).toEqual([title, []]);
    }
  });

  it('uses only variables that it has, and lists their values by series that exist', () => {
    const names = templating.list.map(({ name }) => name);
    const used = targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name));
    expect(used.filter((name) => name !== '__rate_interval' && !names.includes(name))).toEqual([]);
    for (const { definition } of templating.list) {
      if (definition === undefined) continue;
      const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      expect(faultsOf(series)).toEqual([]);
      expect(OF_THE_SCRAPE).toContain(label);
    }
  });

  it('has panels that do not overlap, with an id each', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)}:${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
  });
});
