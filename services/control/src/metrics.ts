// Control's own metrics: one table (docs/metrics.md is checked against it) and what feeds it. What autoscalers ask for is
// another thing and stands in measure/. Labels are closed unions or names of configured pools.
import type { BeatOutcome } from '@weir/fleet';
import type { Registry } from '@weir/runtime';
import { Counter, Gauge } from 'prom-client';
import type { BundleOutcome } from './certify/ca-bundle.ts';
import type { CleanupOutcome } from './clean-up/clean-up.ts';
import { CLEANUP_OUTCOMES } from './clean-up/clean-up.ts';
import type { Fullness, LookOutcome, StreamName } from './fullness/attend.ts';
import { fillRatio, LOOK_OUTCOMES, STREAMS } from './fullness/attend.ts';
import type { PodCounts } from './measure/measure.ts';
import type { RoundOutcome } from './rebalance/rebalancer.ts';
import { ROUND_OUTCOMES } from './rebalance/rebalancer.ts';
import type { QueryOutcome } from './serve/answer.ts';
import { QUERY_OUTCOMES } from './serve/answer.ts';

/** What control asks the API server for. */
export const KUBE_TASKS = ['pods', 'lease', 'trust', 'caBundle', 'deletionCost'] as const;
export type KubeTask = (typeof KUBE_TASKS)[number];

const BEAT_OUTCOMES: readonly BeatOutcome[] = ['known', 'new', 'taken', 'full', 'invalid'];
const BUNDLE_OUTCOMES: readonly BundleOutcome[] = ['same', 'written', 'missing', 'foreign'];

/** What gauges ask when they are scraped. */
export interface MetricSources {
  readonly leading: () => boolean;
  readonly pods: () => PodCounts;
  /** Infinite before the first list. */
  readonly podsAgeMs: () => number;
  /** Milliseconds since 1970; nothing where there is no certificate. */
  readonly certificateEndsMs: () => number | undefined;
}

/** What control reports. */
export interface ControlMetrics {
  beat(outcome: BeatOutcome): void;
  query(outcome: QueryOutcome): void;
  problem(task: KubeTask): void;
  bundle(outcome: BundleOutcome): void;
  round(pool: string, outcome: RoundOutcome): void;
  moves(asked: number, accepted: number): void;
  costWritten(): void;
  cleanUpRound(outcome: CleanupOutcome): void;
  deletionsRemoved(count: number): void;
  streamLook(stream: StreamName, outcome: LookOutcome): void;
  /** Nothing where the stream cannot be seen. */
  streamFullness(stream: StreamName, fullness: Fullness | undefined): void;
  streamWindow(stream: StreamName, counted: number, lost: number): void;
  /** Tells the gauges where to look; once. */
  watch(sources: MetricSources): void;
}

/** Registers everything; `pools` are the names that labels may have. */
export function createControlMetrics(registry: Registry, pools: readonly string[]): ControlMetrics {
  const counter = (name: string, help: string, labelNames: readonly string[]): Counter<string> =>
    new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
  const beats = counter(
    'weir_control_beats_total',
    'Load reports of shards by what became of them; full: more shards than are remembered',
    ['outcome'],
  );
  const queries = counter(
    'weir_control_metric_queries_total',
    'Requests to the metrics API by outcome; refused: not through the API server, stale: shards are not heard',
    ['outcome'],
  );
  const problems = counter(
    'weir_control_kubernetes_problems_total',
    'Requests to the API server that failed, by what they were for',
    ['task'],
  );
  const bundles = counter(
    'weir_control_ca_bundles_total',
    'Looks at the APIServices by outcome; foreign: it points to another Service and is left alone',
    ['outcome'],
  );
  const rounds = counter(
    'weir_control_rebalance_rounds_total',
    'Rounds of the rebalancer by how they ended',
    ['pool', 'outcome'],
  );
  const asked = counter('weir_control_moves_asked_total', 'Clients that shards were asked to send away', []);
  const accepted = counter('weir_control_moves_accepted_total', 'Clients that they said they would', []);
  const costs = counter('weir_control_deletion_costs_written_total', 'Deletion costs written to pods', []);
  const cleanUps = counter(
    'weir_control_clean_up_rounds_total',
    'Rounds that looked for old deletions in the state stream, by how they ended; more: there are more than a round removes',
    ['outcome'],
  );
  const removed = counter(
    'weir_control_deletions_removed_total',
    'Old deletions removed from the state stream',
    [],
  );
  for (const outcome of CLEANUP_OUTCOMES) cleanUps.inc({ outcome }, 0);
  for (const outcome of BEAT_OUTCOMES) beats.inc({ outcome }, 0);
  for (const outcome of QUERY_OUTCOMES) queries.inc({ outcome }, 0);
  for (const task of KUBE_TASKS) problems.inc({ task }, 0);
  for (const outcome of BUNDLE_OUTCOMES) bundles.inc({ outcome }, 0);
  for (const pool of [...pools, 'other'])
    for (const outcome of ROUND_OUTCOMES) rounds.inc({ pool, outcome }, 0);
  return {
    beat: (outcome) => beats.inc({ outcome }),
    query: (outcome) => queries.inc({ outcome }),
    problem: (task) => problems.inc({ task }),
    bundle: (outcome) => bundles.inc({ outcome }),
    round: (pool, outcome) => rounds.inc({ pool: pools.includes(pool) ? pool : 'other', outcome }),
    moves(moves, taken) {
      asked.inc(moves);
      accepted.inc(taken);
    },
    costWritten: () => costs.inc(),
    cleanUpRound: (outcome) => cleanUps.inc({ outcome }),
    deletionsRemoved: (count) => removed.inc(count),
    ...streamMetrics(registry),
    watch: (sources) => watchGauges(registry, sources),
  };
}

type StreamMetrics = Pick<ControlMetrics, 'streamLook' | 'streamFullness' | 'streamWindow'>;

function streamMetrics(registry: Registry): StreamMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge<string> =>
    new Gauge({ name: `weir_control_stream_${name}`, help, labelNames: ['stream'], registers });
  const counter = (name: string, help: string, labelNames: readonly string[] = ['stream']): Counter<string> =>
    new Counter({ name: `weir_control_stream_${name}_total`, help, labelNames: [...labelNames], registers });
  const bytes = gauge('bytes', 'Bytes in the stream; -1 where it cannot be seen');
  const maxBytes = gauge(
    'max_bytes',
    'Most bytes that the stream takes; 0 is no limit, -1 where it cannot be seen',
  );
  const messages = gauge('messages', 'Messages in the stream; -1 where it cannot be seen');
  const maxMessages = gauge(
    'max_messages',
    'Most messages that the stream takes; 0 is no limit, -1 where it cannot be seen',
  );
  const ratio = gauge(
    'fill_ratio',
    'The part of its nearest limit that the stream uses; -1 where it cannot be seen',
  );
  const looks = counter(
    'looks',
    'Looks at the stream by outcome; lost: it did not store all that was published',
    ['stream', 'outcome'],
  );
  const counted = counter('counted_messages', 'Messages that were published while control counted');
  const lost = counter('not_stored_messages', 'Those of them that the stream did not store, beyond doubt');
  const show = (stream: StreamName, fullness: Fullness | undefined): void => {
    bytes.set({ stream }, fullness?.bytes ?? never);
    maxBytes.set({ stream }, fullness?.maxBytes ?? never);
    messages.set({ stream }, fullness?.messages ?? never);
    maxMessages.set({ stream }, fullness?.maxMessages ?? never);
    ratio.set({ stream }, fullness === undefined ? never : fillRatio(fullness));
  };
  for (const stream of STREAMS) {
    show(stream, undefined);
    counted.inc({ stream }, 0);
    lost.inc({ stream }, 0);
    for (const outcome of LOOK_OUTCOMES) looks.inc({ stream, outcome }, 0);
  }
  return {
    streamFullness: show,
    streamLook: (stream, outcome) => looks.inc({ stream, outcome }),
    streamWindow(stream, count, missing) {
      counted.inc({ stream }, count);
      lost.inc({ stream }, missing);
    },
  };
}

const never = -1;

function watchGauges(registry: Registry, sources: MetricSources): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('weir_control_leading', 'Whether this control leads (1)', () => (sources.leading() ? 1 : 0));
  gauge(
    'weir_control_pod_view_age_seconds',
    'Since when nothing proved that the list of pods is right; -1 before the first and without Kubernetes',
    () => (Number.isFinite(sources.podsAgeMs()) ? sources.podsAgeMs() / 1000 : never),
  );
  gauge(
    'weir_control_certificate_expiry_timestamp_seconds',
    'When the certificate of the metrics API ends; -1 where there is none',
    () => {
      const endsMs = sources.certificateEndsMs();
      return endsMs === undefined ? never : endsMs / 1000;
    },
  );
  new Gauge({
    name: 'weir_control_pods',
    help: 'Live pods of shards; silent: they were heard and are not now, so nothing is said of their load',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { measured, starting, silent } = sources.pods();
      this.set({ state: 'measured' }, measured);
      this.set({ state: 'starting' }, starting);
      this.set({ state: 'silent' }, silent);
    },
  });
}
