// Reads a shard's /metrics as Prometheus would: counters between two scrapes, and quantiles of histograms.

/** One scrape: series with their labels, as written, to values. */
export type Scrape = ReadonlyMap<string, number>;

export async function scrape(admin: string): Promise<Scrape> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    series.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return series;
}

/** The increase of all series of a name, or of one series with labels. */
export function growth(before: Scrape, after: Scrape, name: string): number {
  return total(after, name) - total(before, name);
}

function total(series: Scrape, name: string): number {
  let sum = 0;
  for (const [key, value] of series) if (key === name || key.startsWith(`${name}{`)) sum += value;
  return sum;
}

/** A quantile of a histogram's values between two scrapes: the upper bound of the bucket. */
export function histogramQuantile(before: Scrape, after: Scrape, name: string, share: number): number {
  const buckets: { readonly bound: number; readonly count: number }[] = [];
  for (const [key, value] of after) {
    const bound = key.startsWith(`${name}_bucket{`) ? /le="([^"]+)"/.exec(key)?.[1] : undefined;
    if (bound === undefined) continue;
    const count = value - (before.get(key) ?? 0);
    buckets.push({ bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), count });
  }
  buckets.sort((a, b) => a.bound - b.bound);
  const all = buckets.at(-1)?.count ?? 0;
  return buckets.find(({ count }) => count >= all * share)?.bound ?? Number.NaN;
}
