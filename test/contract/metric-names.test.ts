// Checks every metric name outside the code against the tables of the services: chart, examples, documents. Those of
// alerts and dashboards are in monitoring.test.ts. A deprecated name may appear only in the changelog and in the generated page.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { METRICS, OLD_NAMES } from '@weir/control/dist/measure/metric-names.js';
import { FIGURE_NAMES } from '@weir/fleet';
import { publisherMetrics } from '@weir/publisher/dist/metrics.js';
import { routerMetrics } from '@weir/router/dist/metrics.js';
import type { MetricRow } from '@weir/runtime';
import { natsMetrics } from '@weir/runtime';
import { shardMetrics } from '@weir/shard/dist/main-thread/metrics.js';
import { describe, expect, it } from 'vitest';
import { metricRows as rows } from './metric-tables.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const byName = new Map(rows.map((row) => [row.name, row]));
const ofAutoscalers = METRICS.map(({ name }) => name);
const old = [...rows.flatMap(({ was = [] }) => was), ...OLD_NAMES.keys()];

/** The text of the files below these paths. */
async function texts(...paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const below = await readdir(`${ROOT}${path}`, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = below.filter((one) => one.isFile()).map((one) => `${one.parentPath}/${one.name}`);
    for (const file of files.length > 0 ? files : [`${ROOT}${path}`])
      found.set(file.slice(ROOT.length), await readFile(file, 'utf8'));
  }
  return found;
}

/** `weir_…` names in a text, without the suffixes of a histogram's series. */
function namesIn(text: string): readonly string[] {
  const names = [...text.matchAll(/\bweir_(?:router|shard|publisher|control|nats|build)_\w+/g)].map(
    ([name]) => name.replace(/_(?:bucket|sum|count)$/, ''),
  );
  return [...new Set(names)].filter((name) => !name.endsWith('_'));
}

describe('the names of metrics', () => {
  it('belong to one series each, carry the name of their service, and use base units', () => {
    expect(byName.size).toBe(rows.length);
    for (const { name, kind } of rows) {
      expect(name).toMatch(/^weir_(?:router|shard|publisher|control|nats|build)_[a-z_]+$/);
      expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter']);
    }
  });

  it('that the console asks for are those of the service that it asks', () => {
    const of = { shard: shardMetrics, router: routerMetrics, publisher: publisherMetrics };
    for (const [service, table] of Object.entries(of)) {
      const known = [...Object.values<MetricRow>(table), ...Object.values<MetricRow>(natsMetrics)].map(
        ({ name }) => name,
      );
      const asked = FIGURE_NAMES[service as keyof typeof of].filter((name) => !name.startsWith('process_'));
      expect(asked.filter((name) => !known.includes(name))).toEqual([]);
    }
  });

  it('come with advice for operators', () => {
    expect(rows.filter(({ advice = '' }) => advice === '').map(({ name }) => name)).toEqual([]);
  });

  it('outside the code are served by a service and not deprecated', async () => {
    const files = await texts('charts/weir', 'k8s', 'deploy', 'docs', 'README.md', 'CONTRIBUTING.md');
    expect([...files.values()].flatMap(namesIn).length).toBeGreaterThan(100);
    const unknown = [...files]
      .filter(([file]) => file !== 'docs/metrics.md')
      .flatMap(([file, text]) =>
        namesIn(text)
          .filter((name) => !byName.has(name) && !ofAutoscalers.includes(name))
          .map((name) => `${file}: ${name}`),
      );
    expect(unknown).toEqual([]);
    expect(old.filter((name) => byName.has(name))).toEqual([]);
  });

  it('that were removed appear in the changelog', async () => {
    const changelog = await readFile(`${ROOT}CHANGELOG.md`, 'utf8');
    expect(old.filter((name) => !changelog.includes(name))).toEqual([]);
  });
});
