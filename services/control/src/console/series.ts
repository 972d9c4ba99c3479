// Reads the series of an answer: values, what a counter has grown by, and quantiles of a histogram. Pure, but for a
// bounded memory of the names that were taken apart.

export type Series = Readonly<Record<string, number>>;

interface SeriesName {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const maxNames = 5_000;
const names = new Map<string, SeriesName>();

/** Takes `name{a="b"}` apart. */
function nameOf(series: string): SeriesName {
  const known = names.get(series);
  if (known !== undefined) return known;
  const [name = ''] = series.split('{', 1);
  const labels = Object.fromEntries(
    [...series.slice(name.length).matchAll(/([A-Za-z_]+)="([^"]*)"/g)].map(([, label = '', value = '']) => [
      label,
      value,
    ]),
  );
  const found = { name, labels };
  if (names.size >= maxNames) names.clear();
  names.set(series, found);
  return found;
}

/** The sum of all series of a metric. */
export function total(series: Series, name: string): number {
  // A metric without labels has one series.
  const own = series[name];
  if (own !== undefined) return own;
  let sum = 0;
  for (const [, value] of labelled(series, name)) sum += value;
  return sum;
}

/** The series of a metric with labels. Compares texts first: most series are of other metrics. */
function* labelled(series: Series, name: string): Iterable<readonly [key: string, value: number]> {
  const begin = `${name}{`;
  for (const key of Object.keys(series)) if (key.startsWith(begin)) yield [key, series[key] ?? 0];
}

/** An object that has no members but its own: a label may be called `constructor`. */
export function noCounts(): Record<string, number> {
  return Object.create(null);
}

/** The series of a metric by one of its labels, summed over the others. */
export function byLabel(series: Series, name: string, label: string): Record<string, number> {
  const sums = noCounts();
  for (const [key, value] of labelled(series, name)) {
    const by = nameOf(key).labels[label];
    if (by !== undefined) sums[by] = (sums[by] ?? 0) + value;
  }
  return sums;
}

/**
 * What the counters have grown by. A counter that is lower than before belongs to a process that was started again, and
 * has grown by all that it shows.
 */
export function increases(before: Series, now: Series): Series {
  const grown: Record<string, number> = {};
  for (const [key, value] of Object.entries(now)) {
    const { name } = nameOf(key);
    if (!name.endsWith('_total') && !name.endsWith('_bucket')) continue;
    const was = before[key] ?? 0;
    const by = value < was ? value : value - was;
    if (by > 0) grown[key] = by;
  }
  return grown;
}

/** Counts by upper bound, cumulative as in `/metrics`. */
export type Buckets = ReadonlyMap<number, number>;

/** The buckets of a histogram in a set of series. */
export function bucketsOf(series: Series, name: string): Buckets {
  const found = new Map<number, number>();
  for (const [le, count] of Object.entries(byLabel(series, `${name}_bucket`, 'le')))
    found.set(le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count);
  return found;
}

/** Adds `fresh` to what is left of `before`, of which the given part remains. */
export function fade(before: Buckets, fresh: Buckets, part: number): Buckets {
  const sum = new Map<number, number>();
  for (const [le, count] of before) if (count * part > 1e-3) sum.set(le, count * part);
  for (const [le, count] of fresh) sum.set(le, (sum.get(le) ?? 0) + count);
  return sum;
}

/** The sum of histograms with the same bounds. */
export function together(all: readonly Buckets[]): Buckets {
  return all.reduce<Buckets>((sum, one) => fade(sum, one, 1), new Map());
}

/** Share of the values in each bucket, lowest bound first; not cumulative. */
export function shares(buckets: Buckets): readonly (readonly [le: number, share: number])[] {
  const sorted = [...buckets].toSorted(([a], [b]) => a - b);
  const all = sorted.at(-1)?.[1] ?? 0;
  let below = 0;
  return sorted.map(([le, count]) => {
    // A bound without a series of its own had 0 until now: counts never fall from one bound to the next.
    const here = Math.max(0, count - below);
    below = Math.max(below, count);
    return [le, all === 0 ? 0 : here / all] as const;
  });
}

/** A quantile, linear within its bucket; undefined without values, the highest bound if it is beyond all of them. */
export function quantile(buckets: Buckets, q: number): number | undefined {
  let [lower, before] = [0, 0];
  for (const [le, share] of shares(buckets)) {
    if (share > 0 && before + share >= q - 1e-9)
      return Number.isFinite(le) ? lower + Math.min(1, (q - before) / share) * (le - lower) : lower;
    before += share;
    if (Number.isFinite(le)) lower = le;
  }
  return undefined;
}
