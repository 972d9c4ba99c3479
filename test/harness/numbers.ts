// What a service says of itself on /metrics, as numbers, and what holds between them (docs/metrics.md, Invariants).
import { brokenInvariants } from './one-cause.ts';
import type { Service } from './small-cluster.ts';
import { until } from './small-cluster.ts';

export class Numbers {
  readonly #values: ReadonlyMap<string, number>;
  readonly #text: string;
  /** Bytes of the scrape. */
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

  /** One series, by its name with its labels. */
  of(series: string): number {
    const value = this.#values.get(series);
    if (value === undefined) throw new Error(`there is no series ${series}`);
    return value;
  }

  /** Connections of a shard that were closed for this cause. */
  closes(cause: string): number {
    return this.of(`weir_shard_closes_total{cause="${cause}"}`);
  }

  /** All series of a name together, whatever their labels. */
  sum(name: string): number {
    return this.series
      .filter((series) => series === name || series.startsWith(`${name}{`))
      .reduce((sum, series) => sum + this.of(series), 0);
  }

  /** The invariants of a shard that do not hold, in words. */
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
 * Waits until a shard has nothing but so many connections, to which everything has arrived, and its numbers agree.
 * They may differ for a moment while frames go out, since a scrape is no photograph.
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
