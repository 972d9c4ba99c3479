// A histogram whose counts live elsewhere: a scrape reads them, nothing is observed here.
import type { Registry } from 'prom-client';
import { Histogram } from 'prom-client';

/** How many values were in each bucket, one more than there are bounds, and the sum of all values. */
export interface BucketCounts {
  readonly buckets: readonly number[];
  readonly sum: number;
}

export interface ReadHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly registers: Registry[];
  readonly read: () => BucketCounts;
}

export class ReadHistogram extends Histogram {
  readonly #o: ReadHistogramOptions;
  readonly #empty: Histogram;

  constructor(o: ReadHistogramOptions) {
    const { name, help, buckets, registers } = o;
    super({ name, help, buckets: [...buckets], registers });
    this.#empty = new Histogram({ name, help, buckets: [...buckets], registers: [] });
    this.#o = o;
  }

  override async get(): ReturnType<Histogram['get']> {
    return this.getForPromString();
  }

  /** The registry calls this for its text; prom-client's types do not have it. */
  async getForPromString(): ReturnType<Histogram['get']> {
    const { name, buckets: bounds, read } = this.#o;
    const { buckets, sum } = read();
    let total = 0;
    const values = buckets.map((inBucket, place) => {
      total += inBucket;
      return { labels: { le: bounds[place] ?? '+Inf' }, value: total, metricName: `${name}_bucket` };
    });
    return {
      ...(await this.#empty.get()),
      values: [
        ...values,
        { labels: {}, value: sum, metricName: `${name}_sum` },
        { labels: {}, value: total, metricName: `${name}_count` },
      ],
    };
  }
}
