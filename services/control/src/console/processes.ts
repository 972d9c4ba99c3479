// What routers, shards and publishers have answered: the newest figures of each, and how fast its counters grow. A
// process that does not answer any more is forgotten; one that was started again begins anew.
import type { FigureService, Figures } from '@weir/fleet';
import type { Buckets, Series } from './series.ts';
import { bucketsOf, fade, increases, total } from './series.ts';

/** A process that answers. */
export interface Process {
  readonly figures: Figures;
  /** Size of its answer as JSON. */
  readonly bytes: number;
  /** Monotonic time of its last answer. */
  readonly atMs: number;
  /** Wall clock of its start. */
  readonly startedMs: number;
  /** What its counters have grown by from the answer before. */
  readonly grown: Series;
  /** Seconds from its last answer to the one before; 0 for the first. */
  readonly seconds: number;
  /** The last half minute of each histogram, older values fading. */
  readonly lag: Buckets;
  readonly backlog: Buckets;
  /** When each of them last grew. */
  readonly grewMs: { readonly lag: number; readonly backlog: number };
}

export type TakeOutcome = 'taken' | 'invalid' | 'full';

const memoryMs = 30_000;
/** Twice a usual answer of a shard: this times the number of processes is what all answers together may have. */
const meanBytes = 8_192;
/** The largest possible answer of one process fits where few processes do. */
const spareAnswers = 8;
const lagName = 'weir_shard_delivery_lag_seconds';
const backlogName = 'weir_shard_connection_backlog_bytes';

export class Processes {
  readonly #max: number;
  readonly #maxBytes: number;
  readonly #silentMs: number;
  readonly #known = new Map<string, Process>();
  #bytes = 0;
  /** What counters have grown by since the last call of `collect`, by process. */
  #uncollected = new Map<string, Record<string, number>>();

  constructor(o: { readonly max: number; readonly silentMs: number }) {
    this.#max = o.max;
    this.#maxBytes = (o.max + spareAnswers) * meanBytes;
    this.#silentMs = o.silentMs;
  }

  take(
    figures: Figures,
    { nowMs, wallMs, bytes }: { readonly nowMs: number; readonly wallMs: number; readonly bytes: number },
  ): TakeOutcome {
    const key = `${figures.service} ${figures.id}`;
    const before = this.#known.get(key);
    if (before === undefined && this.#known.size >= this.#max) return 'full';
    const allBytes = this.#bytes + bytes - (before?.bytes ?? 0);
    if (allBytes > this.#maxBytes) return 'full';
    this.#bytes = allBytes;
    const startedMs = wallMs - figures.upMs;
    const same = before !== undefined && figures.upMs >= before.figures.upMs;
    // The counters of a process that has just been met have grown by nothing that anybody saw.
    const grown =
      before === undefined
        ? {}
        : same
          ? increases(before.figures.series, figures.series)
          : increases({}, figures.series);
    const seconds = same ? (nowMs - before.atMs) / 1000 : 0;
    const part = before === undefined ? 0 : Math.exp(-(nowMs - before.atMs) / memoryMs);
    const [freshLag, freshBacklog] = [bucketsOf(grown, lagName), bucketsOf(grown, backlogName)];
    const grewMs = {
      lag: freshLag.size > 0 ? nowMs : (before?.grewMs.lag ?? nowMs),
      backlog: freshBacklog.size > 0 ? nowMs : (before?.grewMs.backlog ?? nowMs),
    };
    this.#known.set(key, {
      figures,
      bytes,
      atMs: nowMs,
      startedMs: same ? before.startedMs : startedMs,
      grown,
      seconds,
      lag: recent(before?.lag, freshLag, nowMs - grewMs.lag > memoryMs ? 0 : part),
      backlog: recent(before?.backlog, freshBacklog, nowMs - grewMs.backlog > memoryMs ? 0 : part),
      grewMs,
    });
    const sums = this.#uncollected.get(key) ?? {};
    for (const [name, by] of Object.entries(grown)) sums[name] = (sums[name] ?? 0) + by;
    this.#uncollected.set(key, sums);
    return 'taken';
  }

  /** What the counters of each process of a service have grown by since the last call. */
  collect(): (service: FigureService) => ReadonlyMap<string, Series> {
    const all = this.#uncollected;
    this.#uncollected = new Map();
    return (service) => {
      const prefix = `${service} `;
      const of = [...all].filter(([key]) => key.startsWith(prefix));
      return new Map(of.map(([key, series]) => [key.slice(prefix.length), series]));
    };
  }

  /** Forgets processes that have been silent for too long. */
  forget(nowMs: number): void {
    for (const [key, { atMs, bytes }] of this.#known) {
      if (nowMs - atMs <= this.#silentMs) continue;
      this.#known.delete(key);
      this.#bytes -= bytes;
    }
  }

  of(service: FigureService): readonly Process[] {
    return [...this.#known.values()].filter(({ figures }) => figures.service === service);
  }

  get(service: FigureService, id: string): Process | undefined {
    return this.#known.get(`${service} ${id}`);
  }
}

/** How fast the counters of a metric grow together, per second. */
export function perSecond(process: Process | undefined, ...names: readonly string[]): number {
  if (process === undefined || process.seconds <= 0) return 0;
  return names.reduce((sum, name) => sum + total(process.grown, name), 0) / process.seconds;
}

/** Less than one value of a minute ago is nothing that one could still speak of. */
const leastCount = 0.15;

function recent(before: Buckets = new Map(), fresh: Buckets, part: number): Buckets {
  const sum = fade(before, fresh, part);
  return Math.max(0, ...sum.values()) < leastCount ? new Map() : sum;
}
