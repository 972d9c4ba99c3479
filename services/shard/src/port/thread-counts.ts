// What a fan-out thread counts, in memory that the main thread reads at a scrape: one buffer a thread, cut into parts.
// Hot loops add to plain numbers in it; nothing here knows a metric.
import { CONNECTION_FAULTS, ENDINGS } from '@weir/runtime';
import { add, COUNT_PLACES, GAUGE_PLACES, gauge, HISTOGRAM_PLACES } from './counts.ts';
import {
  ADMIT_OUTCOMES,
  CLOSE_CAUSES,
  LOOK_CLASSES,
  LOOK_RESULTS,
  MOVE_REASONS,
  REASSIGN_VERDICTS,
} from './outcomes.ts';

/** The parts and their sizes; a number's place in its part is that of its name in the list. */
const PLACES: Readonly<Record<CountsPart, number>> = {
  fanOut: COUNT_PLACES,
  histograms: HISTOGRAM_PLACES,
  faults: CONNECTION_FAULTS.length,
  admissions: ADMIT_OUTCOMES.length,
  closes: CLOSE_CAUSES.length,
  endings: ENDINGS.length,
  moves: MOVE_REASONS.length,
  slow: REASSIGN_VERDICTS.length,
  fast: REASSIGN_VERDICTS.length,
  looks: LOOK_CLASSES.length * LOOK_RESULTS.length,
  gauges: GAUGE_PLACES,
};

export type CountsPart =
  | 'fanOut'
  | 'histograms'
  | 'faults'
  | 'admissions'
  | 'closes'
  | 'endings'
  | 'moves'
  | 'slow'
  | 'fast'
  | 'looks'
  | 'gauges';
export type ThreadCounts = Readonly<Record<CountsPart, Float64Array>>;

/** Memory for the counts of one thread. */
function countsMemory(): SharedArrayBuffer {
  const places = Object.values(PLACES).reduce((sum, size) => sum + size, 0);
  return new SharedArrayBuffer(places * Float64Array.BYTES_PER_ELEMENT);
}

/** The parts of a thread's memory. */
export function countsIn(memory: SharedArrayBuffer): ThreadCounts {
  let at = 0;
  const part = (size: number): Float64Array => {
    const view = new Float64Array(memory, at, size);
    at += size * Float64Array.BYTES_PER_ELEMENT;
    return view;
  };
  return {
    fanOut: part(PLACES.fanOut),
    histograms: part(PLACES.histograms),
    faults: part(PLACES.faults),
    admissions: part(PLACES.admissions),
    closes: part(PLACES.closes),
    endings: part(PLACES.endings),
    moves: part(PLACES.moves),
    slow: part(PLACES.slow),
    fast: part(PLACES.fast),
    looks: part(PLACES.looks),
    gauges: part(PLACES.gauges),
  };
}

const KEPT = [
  'fanOut',
  'histograms',
  'faults',
  'admissions',
  'closes',
  'endings',
  'moves',
  'slow',
  'fast',
  'looks',
] as const;

/** The counts of all threads of a shard; what a thread counted that has died stays counted. */
export class SummedCounts {
  readonly #dead: ThreadCounts = countsIn(countsMemory());
  readonly #living: (ThreadCounts | undefined)[];

  constructor(threads: number) {
    this.#living = Array.from({ length: threads }, () => undefined);
  }

  /** Memory for a thread that is about to start. */
  born(index: number): SharedArrayBuffer {
    const memory = countsMemory();
    this.#living[index] = countsIn(memory);
    return memory;
  }

  /** Adds what it has counted to what its predecessors have; gauges are of the living alone. */
  died(index: number): void {
    const counts = this.#living[index];
    this.#living[index] = undefined;
    if (counts === undefined) return;
    const { [gauge.connections]: connections = 0, [gauge.closing]: closing = 0 } = counts.gauges;
    add(counts.closes, CLOSE_CAUSES.indexOf('threadDied'), connections - closing);
    add(counts.endings, ENDINGS.indexOf('cut'), connections);
    for (const part of KEPT) {
      const sums = this.#dead[part];
      for (const [place, value] of counts[part].entries()) sums[place] = (sums[place] ?? 0) + value;
    }
  }

  of(index: number, part: CountsPart, place: number): number {
    return this.#living[index]?.[part][place] ?? 0;
  }

  /** What clients have not proved to have, as beats say it. */
  get backlog(): Readonly<Record<'backlogBytes' | 'healthyBacklogBytes' | 'awaitedBytes', number>> {
    return {
      backlogBytes: this.sum('gauges', gauge.backlogBytes),
      healthyBacklogBytes: this.sum('gauges', gauge.healthyBacklogBytes),
      awaitedBytes: this.sum('gauges', gauge.awaitedBytes),
    };
  }

  sum(part: CountsPart, place: number): number {
    return this.#living.reduce((sum, of) => sum + (of?.[part][place] ?? 0), this.#dead[part][place] ?? 0);
  }
}
