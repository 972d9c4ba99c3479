// Metrics as tables: a row is one series with its labels, its meaning, what an operator looks at, and how a scrape
// reads it. Services register their table; docs/metrics.md and the checks of alerts and dashboard read the same table.
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { BucketCounts } from './read-histogram.ts';
import { ReadHistogram } from './read-histogram.ts';

/** The values of a label are names that settings choose, such as pools; no list of them is in the code. */
export const NAMES = 'names';

/** One value of a labelled series. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

interface AnyRow {
  readonly name: string;
  readonly help: string;
  /** What an operator looks at. */
  readonly advice?: string;
  /** By label: all its values, or `NAMES`. Never an id, an address, a URL or a text of an error. */
  readonly labels?: Readonly<Record<string, readonly string[] | typeof NAMES>>;
  /** The old name, which is served beside `name` for one release; only of a row with `read`. */
  readonly was?: string;
}

interface NumberRow<S> extends AnyRow {
  readonly kind: 'counter' | 'gauge';
  /** Called at each scrape. A row without it is written by the code that holds its handle. */
  readonly read?: (source: S) => number | Iterable<Sample>;
}

interface HistogramRow<S> extends AnyRow {
  readonly kind: 'histogram';
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly read?: (source: S) => BucketCounts;
}

export type MetricRow<S = never> = NumberRow<S> | HistogramRow<S>;
export type MetricsTable<S = never> = Readonly<Record<string, MetricRow<S>>>;

/** The table as it is given; `S` is what the `read` of its rows is called with. */
export function defineMetrics<S = undefined>(): <const T extends MetricsTable<S>>(table: T) => T {
  return (table) => table;
}

type LabelValue<V> = V extends readonly (infer One extends string)[] ? One : string;
type LabelsOf<R> = R extends { readonly labels: infer L }
  ? { readonly [K in keyof L]: LabelValue<L[K]> }
  : undefined;
type By<L> = L extends undefined ? [by?: number] : [labels: L, by?: number];
type Value<L> = L extends undefined ? [value: number] : [labels: L, value: number];
type Handle<R> = R extends { readonly kind: 'counter' }
  ? { inc(...by: By<LabelsOf<R>>): void }
  : R extends { readonly kind: 'gauge' }
    ? { set(...value: Value<LabelsOf<R>>): void }
    : { observe(...value: Value<LabelsOf<R>>): void };

/** What the code of a service writes to: a handle for each row without `read`. */
export type Metrics<T> = {
  readonly [K in keyof T as T[K] extends { readonly read: unknown } ? never : K]: Handle<T[K]>;
};

type Read<T> = Extract<T[keyof T], { readonly read: unknown }>;
type SourceOf<T> = Read<T> extends { readonly read: (source: infer S) => unknown } ? S : never;

/** The registered table. */
export interface RegisteredMetrics<T> {
  readonly metrics: Metrics<T>;
  /** Gives the rows with `read` what they read; before that a scrape finds no values of them. Once. */
  readFrom(source: SourceOf<T>): void;
}

/**
 * Registers every row. A counter whose label values are all known begins at 0, so that its first rise is one that
 * `rate()` sees. `names` has the values of labels that are `NAMES`, by label.
 */
export function registerMetrics<const T extends MetricsTable<never>>(
  registry: Registry,
  table: T,
  names: Readonly<Record<string, readonly string[]>> = {},
): RegisteredMetrics<T> {
  // The types of the rows hold the source; inside it is unknown.
  const rows = table as unknown as MetricsTable<unknown>;
  let source: { readonly of: unknown } | undefined;
  const handles: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(rows)) {
    if (row.read === undefined) {
      handles[key] = written(registry, row, names);
      continue;
    }
    exposeRow(registry, row, () => source);
    if (row.was !== undefined) exposeRow(registry, asOldName(row, row.was), () => source);
  }
  return {
    metrics: handles as Metrics<T>,
    readFrom: (of) => {
      source = { of };
    },
  };
}

/** The row under the name that it had before. */
export function asOldName<R extends MetricRow<never>>(row: R, was: string): R {
  return { ...row, name: was, help: `Old name of ${row.name}, served for one release` };
}

function written(
  registry: Registry,
  row: MetricRow<unknown>,
  names: Readonly<Record<string, readonly string[]>>,
): unknown {
  const { name, help, labels = {} } = row;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  if (row.kind === 'histogram') return new Histogram({ ...options, buckets: [...row.buckets] });
  if (row.kind === 'gauge') return new Gauge(options);
  const counter = new Counter(options);
  if (options.labelNames.length > 0)
    for (const combination of combinations(Object.entries(labels), names)) counter.inc(combination, 0);
  return counter;
}

/** Every combination of label values; none if the values of a label are not known. */
function combinations(
  labels: readonly (readonly [string, readonly string[] | typeof NAMES])[],
  names: Readonly<Record<string, readonly string[]>>,
): readonly Readonly<Record<string, string>>[] {
  let all: readonly Readonly<Record<string, string>>[] = [{}];
  for (const [label, listed] of labels) {
    const values = listed === NAMES ? (names[label] ?? []) : listed;
    all = all.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  }
  return all;
}

function exposeRow(
  registry: Registry,
  row: MetricRow<unknown>,
  from: () => { readonly of: unknown } | undefined,
): void {
  const { name, help, labels = {} } = row;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  if (row.kind === 'histogram') {
    const none = { buckets: [...row.buckets, 0].fill(0), sum: 0 };
    const read = (): BucketCounts => {
      const source = from();
      return source === undefined || row.read === undefined ? none : row.read(source.of);
    };
    new ReadHistogram({ ...options, buckets: row.buckets, read });
    return;
  }
  const samples = (): Iterable<Sample> => {
    const source = from();
    if (source === undefined || row.read === undefined) return [];
    const given = row.read(source.of);
    return typeof given === 'number' ? [[{}, given]] : given;
  };
  if (row.kind === 'gauge')
    new Gauge({
      ...options,
      collect() {
        this.reset();
        for (const [of, value] of samples()) this.set(of, value);
      },
    });
  else
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const [of, value] of samples()) this.inc(of, value);
      },
    });
}
