// Compares docs/metrics.md with the metrics that running services serve: name, type, labels, help.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SmallCluster } from '../harness/small-cluster.ts';
import { tableOf } from './markdown-table.ts';

const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

interface Documented {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

function documented(heading: string): readonly Documented[] {
  return tableOf(page, heading, ['Metric', 'Type', 'Labels', 'Meaning', 'What to look at']).map((row) => ({
    name: row['Metric'] ?? '',
    type: row['Type'] ?? '',
    help: (row['Meaning'] ?? '').replaceAll('&lt;', '<'),
    // A cell that holds a single label has already lost its code marks: tableOf takes them off.
    labels: [...(row['Labels'] ?? '').matchAll(/`(\w+)`|^(\w+)$/g)].map(([, marked, bare]) =>
      String(marked ?? bare),
    ),
  }));
}

let cluster: SmallCluster;
const admin = new Map<string, string>();
beforeAll(async () => {
  cluster = await SmallCluster.start();
  admin.set('Router', cluster.router.admin);
  admin.set('Shard', (await cluster.shard('desktop', 'd1')).admin);
  admin.set('Publisher', (await cluster.publisher()).admin);
  admin.set('Control', (await cluster.control()).admin);
});
afterAll(() => cluster.stop());

describe.each(['Router', 'Shard', 'Publisher', 'Control'])('docs/metrics.md and a running %s', (service) => {
  it('agree', async () => {
    const text = await (await fetch(`${admin.get(service)}/metrics`)).text();
    const helps = new Map(
      [...text.matchAll(/^# HELP (weir_\w+) (.*)$/gm)].map(([, name, help]) => [name, help]),
    );
    const types = new Map(
      [...text.matchAll(/^# TYPE (weir_\w+) (.*)$/gm)].map(([, name, type]) => [name, type]),
    );
    const rows = [...documented('## Every service'), ...documented(`## ${service}`)];
    expect(rows.map(({ name, help }) => [name, help]).toSorted()).toEqual([...helps].toSorted());
    expect(rows.map(({ name, type }) => [name, type]).toSorted()).toEqual([...types].toSorted());
    for (const { name, labels } of rows) {
      const series = text.match(new RegExp(`^${name}(?:_bucket)?\\{([^}]*)\\}`, 'm'))?.[1] ?? '';
      const used = [...series.matchAll(/(\w+)="/g)].map(([, label]) => String(label));
      expect([name, used.filter((label) => label !== 'le' && !labels.includes(label))]).toEqual([name, []]);
    }
  });
});
