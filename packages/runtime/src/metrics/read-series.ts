// Reads some series of a registry as numbers, under the names that `/metrics` shows.
import type { Registry } from 'prom-client';

/**
 * The series of these metrics, by name and labels. Series that are 0 are left out: most label values of a closed set
 * are 0 all the time.
 */
export async function readSeries(
  registry: Registry,
  names: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const series: Record<string, number> = {};
  for (const name of names) {
    const metric = registry.getSingleMetric(name);
    if (metric === undefined) continue;
    const found: { readonly values: readonly Value[] } = await metric.get();
    for (const { value, labels, metricName = name } of found.values)
      if (value !== 0 && Number.isFinite(value)) series[seriesName(metricName, labels)] = value;
  }
  return series;
}

interface Value {
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly metricName?: string;
}

function seriesName(name: string, labels: Value['labels']): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
