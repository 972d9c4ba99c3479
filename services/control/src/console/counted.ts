// How often things happened in the last minute and in the last hour, by kind and name: closes by cause, moves by reason,
// rejected messages. Bounded by the number of names.
import { History } from './history.ts';
import type { Series } from './series.ts';
import { byLabel } from './series.ts';
import type { Counts } from './view.ts';

export type CountKind = 'close' | 'move' | 'reject' | 'notPlaced' | 'notStored';

const minuteMs = 60_000;
/** More than the labels of all kinds together. */
const maxNames = 128;

export class Counted {
  readonly #history: History<'count'>;
  readonly #stepsOfMinute: number;
  #fresh = new Map<string, number>();

  constructor(o: { readonly size: number; readonly everyMs: number }) {
    this.#history = new History({ columns: ['count'], size: o.size, maxNames });
    this.#stepsOfMinute = Math.max(1, Math.round(minuteMs / o.everyMs));
  }

  add(kind: CountKind, name: string, by: number): void {
    if (by <= 0) return;
    const key = `${kind} ${name}`;
    this.#fresh.set(key, (this.#fresh.get(key) ?? 0) + by);
  }

  /** Adds what the shards have grown by; `witness` is the one shard that counts for what all of them hear. */
  addShards(grown: ReadonlyMap<string, Series>, witness: string | undefined): void {
    for (const series of grown.values()) {
      this.#addAll('close', byLabel(series, 'weir_shard_closes_total', 'cause'));
      this.#addAll('move', byLabel(series, 'weir_shard_moves_total', 'reason'));
    }
    const heard = witness === undefined ? undefined : grown.get(witness);
    if (heard !== undefined)
      this.#addAll('reject', byLabel(heard, 'weir_shard_intake_rejected_total', 'reason'));
  }

  addRouters(grown: ReadonlyMap<string, Series>): void {
    for (const series of grown.values()) {
      const refused = byLabel(series, 'weir_router_connects_total', 'outcome')['noCapacity'] ?? 0;
      this.add('notPlaced', 'noCapacity', refused);
    }
  }

  /** Ends one step. */
  step(): void {
    this.#history.add(new Map([...this.#fresh].map(([key, count]) => [key, { count }])));
    this.#fresh = new Map();
  }

  /** Of the last hour, most first. */
  of(kind: CountKind): Counts {
    const prefix = `${kind} `;
    return this.#history.names
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({
        name: name.slice(prefix.length),
        minute: this.#history.sum(name, 'count', this.#stepsOfMinute),
        hour: this.#history.sum(name, 'count'),
      }))
      .toSorted((a, b) => b.hour - a.hour);
  }

  ofMinute(kind: CountKind): number {
    return this.of(kind).reduce((sum, { minute }) => sum + minute, 0);
  }

  #addAll(kind: CountKind, counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) this.add(kind, name, count);
  }
}
