// The /metrics of a service as numbers, and checks that they agree (docs/metrics.md, Invariants).
import { brokenInvariants } from './one-cause.ts';
import type { Service } from './small-cluster.ts';
import { until } from './small-cluster.ts';

export class Numbers {
  readonly #values: ReadonlyMap<string, number>;
  readonly #text: string;
  /** Size of the scrape. */
  readonly bytes: number;

  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    this.#text = text;
    this.bytes = Buffer.byteLength(text);
    this.#values = new Map(
      lines.map((line) => [
        line.slice(0, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' ') + 1)),
      ]),
    );
  }

  static async of(service: Service): Promise<Numbers> {
    return new Numbers(await (await fetch(`${service.admin}/metrics`)).text());
  }

  get series(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** One series, by name and labels. */
  of(series: string): number {
    const value = this.#values.get(series);
    if (value === undefined) throw new Error(`there is no series ${series}`);
    return value;
  }

  /** Connections that a shard closed for this cause. */
  closes(cause: string): number {
    return this.of(`weir_shard_closes_total{cause="${cause}"}`);
  }

  /** The sum of all series of a name, whatever their labels. */
  sum(name: string): number {
    return this.series
      .filter((series) => series === name || series.startsWith(`${name}{`))
      .reduce((sum, series) => sum + this.of(series), 0);
  }

  /** The broken invariants of a shard, as sentences. */
  get broken(): readonly string[] {
    const of = (name: string): number => this.of(`weir_shard_${name}`);
    const negative = this.series.filter((series) => series.startsWith('weir_') && !(this.of(series) >= 0));
    return [
      ...brokenInvariants(this.#text),
      ...(of('connections_not_live') > of('connections') ? ['more are not live than are there'] : []),
      ...negative.map((series) => `${series} is ${this.of(series)}`),
    ];
  }
}

/**
 * Waits until a shard has exactly `connections` connections, no backlog, and numbers that agree. They may disagree for
 * a moment while frames go out, since a scrape does not read all series at the same time.
 */
export async function comesToRest(
  shard: Service,
  connections: number,
  deadlineMs = 30_000,
): Promise<Numbers> {
  let last = await Numbers.of(shard);
  const restless = (): readonly string[] => [
    ...last.broken,
    ...(last.of('weir_shard_connections') === connections
      ? []
      : [`${last.of('weir_shard_connections')} connections, not ${connections}`]),
    ...['handshakes_pending', 'backlog_bytes', 'connections_not_live']
      .filter((name) => last.of(`weir_shard_${name}`) !== 0)
      .map((name) => `${name} is ${last.of(`weir_shard_${name}`)}`),
  ];
  try {
    await until(
      async () => {
        last = await Numbers.of(shard);
        return restless().length === 0;
      },
      'the shard comes to rest',
      deadlineMs,
    );
  } catch (cause) {
    throw new Error(`the shard does not come to rest: ${restless().join('; ')}`, { cause });
  }
  return last;
}
