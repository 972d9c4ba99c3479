// Every series of the shard. Hot loops add to plain numbers; a scrape reads them here.
import type { Lane } from '@weir/protocol';
import { LANES } from '@weir/protocol';
import type { Registry } from '@weir/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { ReachOutcome } from './catch-up/reach.ts';
import { REACH_OUTCOMES } from './catch-up/reach.ts';
import type { RejectReason } from './intake/accept.ts';
import { REJECT_REASONS } from './intake/accept.ts';
import type { StreamProblem } from './intake/stream-reader.ts';
import { STREAM_PROBLEMS } from './intake/stream-reader.ts';
import type { ShedOutcome } from './shed/shedding.ts';
import { SHED_OUTCOMES } from './shed/shedding.ts';

/** A number that lives elsewhere, or one for each value of a label. */
interface Reading {
  readonly help: string;
  readonly read: () => number;
}
interface LabelledReading {
  readonly help: string;
  readonly label: string;
  readonly values: () => Iterable<readonly [value: string, number]>;
}

/** A histogram that lives elsewhere: how many were in each bucket, one more than there are bounds, and their sum. */
export interface HistogramReading {
  readonly help: string;
  readonly bounds: readonly number[];
  readonly read: () => { readonly buckets: readonly number[]; readonly sum: number };
}

/** Numbers that are read when somebody looks. */
export interface ShardReadings {
  readonly gauges: Readonly<Record<string, Reading | LabelledReading>>;
  readonly counters: Readonly<Record<string, Reading | LabelledReading>>;
  readonly histograms: Readonly<Record<string, HistogramReading>>;
}

/** What the stages of the main thread tell. */
export interface ShardMetrics {
  accepted(lane: Lane): void;
  rejected(lane: Lane | undefined, reason: RejectReason): void;
  cosmeticDropped(): void;
  intakeProblem(stream: 'state' | 'critical', problem: StreamProblem): void;
  tick(lateMs: number): void;
  shed(outcome: ShedOutcome): void;
  resumed(outcome: ReachOutcome): void;
}

/** Makes the series; those with closed labels begin at 0. */
export function createShardMetrics(registry: Registry): ShardMetrics {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: readonly string[] = []): Counter =>
    new Counter({ name: `weir_shard_${name}`, help, labelNames: [...labelNames], registers });
  const accepted: Record<Lane, number> = { state: 0, critical: 0, cosmetic: 0 };
  new Counter({
    name: 'weir_shard_intake_messages_total',
    help: 'Messages taken from NATS by lane',
    labelNames: ['lane'],
    registers,
    collect() {
      this.reset();
      for (const lane of LANES) this.inc({ lane }, accepted[lane]);
    },
  });
  const rejections = counter(
    'intake_rejected_total',
    'Messages that cannot be broadcast, by lane and reason',
    ['lane', 'reason'],
  );
  const cosmetic = counter('intake_cosmetic_dropped_total', 'Cosmetic messages that did not fit in a tick');
  const problems = counter(
    'intake_problems_total',
    'Epochs, gaps, failures of reading and lost messages, by stream',
    ['stream', 'problem'],
  );
  const sheds = counter('shed_requests_total', 'Requests to send clients away for the balance of the pool', [
    'outcome',
  ]);
  const resumes = counter(
    'resumes_total',
    'Clients that came back with a position, by whether the shard had read all that the state stream had',
    ['outcome'],
  );
  const lateness = new Histogram({
    name: 'weir_shard_tick_lateness_seconds',
    help: 'How late ticks ran',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  });
  for (const outcome of REACH_OUTCOMES) resumes.inc({ outcome }, 0);
  for (const outcome of SHED_OUTCOMES) sheds.inc({ outcome }, 0);
  for (const reason of REJECT_REASONS) {
    for (const lane of [...LANES, 'none']) rejections.inc({ lane, reason }, 0);
  }
  for (const stream of ['state', 'critical']) {
    for (const problem of STREAM_PROBLEMS) problems.inc({ stream, problem }, 0);
  }
  return {
    accepted: (lane) => {
      accepted[lane]++;
    },
    rejected: (lane, reason) => rejections.inc({ lane: lane ?? 'none', reason }),
    cosmeticDropped: () => cosmetic.inc(),
    intakeProblem: (stream, problem) => problems.inc({ stream, problem }),
    tick: (lateMs) => lateness.observe(lateMs / 1000),
    shed: (outcome) => sheds.inc({ outcome }),
    resumed: (outcome) => resumes.inc({ outcome }),
  };
}

/** Publishes numbers that live elsewhere: read at each scrape, never pushed. */
export function exposeReadings(registry: Registry, readings: ShardReadings): void {
  const registers = [registry];
  for (const [name, reading] of Object.entries(readings.gauges)) {
    new Gauge({
      name: `weir_shard_${name}`,
      help: reading.help,
      labelNames: labelsOf(reading),
      registers,
      collect() {
        this.reset();
        for (const { labels, value } of samplesOf(reading)) this.set(labels, value);
      },
    });
  }
  for (const [name, reading] of Object.entries(readings.counters)) {
    new Counter({
      name: `weir_shard_${name}`,
      help: reading.help,
      labelNames: labelsOf(reading),
      registers,
      collect() {
        this.reset();
        for (const { labels, value } of samplesOf(reading)) this.inc(labels, value);
      },
    });
  }
  for (const [name, reading] of Object.entries(readings.histograms))
    new ReadHistogram(`weir_shard_${name}`, reading, registry);
}

function labelsOf(reading: Reading | LabelledReading): string[] {
  return 'label' in reading ? [reading.label] : [];
}

function samplesOf(
  reading: Reading | LabelledReading,
): readonly { readonly labels: Record<string, string>; readonly value: number }[] {
  if ('read' in reading) return [{ labels: {}, value: reading.read() }];
  return [...reading.values()].map(([label, value]) => ({ labels: { [reading.label]: label }, value }));
}

/** A histogram that is counted elsewhere. */
class ReadHistogram extends Histogram {
  readonly #name: string;
  readonly #reading: HistogramReading;
  readonly #empty: Histogram;

  constructor(name: string, reading: HistogramReading, registry: Registry) {
    const options = { name, help: reading.help, buckets: [...reading.bounds] };
    super({ ...options, registers: [registry] });
    this.#empty = new Histogram({ ...options, registers: [] });
    this.#name = name;
    this.#reading = reading;
  }

  override async get(): ReturnType<Histogram['get']> {
    return this.getForPromString();
  }

  /** What the registry calls for the text; not in the types of prom-client. */
  async getForPromString(): ReturnType<Histogram['get']> {
    const { bounds, read } = this.#reading;
    const { buckets, sum } = read();
    let total = 0;
    const values = buckets.map((inBucket, place) => {
      total += inBucket;
      return { labels: { le: bounds[place] ?? '+Inf' }, value: total, metricName: `${this.#name}_bucket` };
    });
    return {
      ...(await this.#empty.get()),
      values: [
        ...values,
        { labels: {}, value: sum, metricName: `${this.#name}_sum` },
        { labels: {}, value: total, metricName: `${this.#name}_count` },
      ],
    };
  }
}
