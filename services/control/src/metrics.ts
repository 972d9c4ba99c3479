// Every metric that control has of itself, as one table. Label values are closed lists or names of configured pools.
// The metrics that control serves to autoscalers are in measure/metric-names.ts.
import { BEAT_OUTCOMES } from '@weir/fleet';
import type { Metrics, RegisteredMetrics, Registry, Sample } from '@weir/runtime';
import { defineMetrics, NAMES, registerMetrics } from '@weir/runtime';
import type { BundleOutcome } from './certify/ca-bundle.ts';
import { CLEANUP_OUTCOMES } from './clean-up/clean-up.ts';
import { ACTION_OUTCOMES, ACTIONS } from './console/act.ts';
import type { TakeOutcome } from './console/processes.ts';
import type { Fullness, StreamName } from './fullness/attend.ts';
import { fillRatio, LOOK_OUTCOMES, STREAMS } from './fullness/attend.ts';
import type { PodCounts } from './measure/measure.ts';
import { ROUND_OUTCOMES } from './rebalance/rebalancer.ts';
import { QUERY_OUTCOMES } from './serve/answer.ts';

/** What control asks the API server for. */
export const KUBE_TASKS = ['pods', 'lease', 'trust', 'caBundle', 'deletionCost'] as const;
export type KubeTask = (typeof KUBE_TASKS)[number];

const BUNDLE_OUTCOMES: readonly BundleOutcome[] = ['same', 'written', 'missing', 'foreign'];
const FIGURE_OUTCOMES: readonly TakeOutcome[] = ['taken', 'invalid', 'full'];
const POD_STATES = ['measured', 'starting', 'silent'] as const;
/** The value of a gauge whose subject control cannot see. */
const UNKNOWN = -1;

/** What gauges read at a scrape. */
export interface ControlReadings {
  readonly leading: () => boolean;
  readonly pods: () => PodCounts;
  /** Infinite before the first list. */
  readonly podsAgeMs: () => number;
  /** Milliseconds since 1970; undefined without a certificate. */
  readonly certificateEndsMs: () => number | undefined;
  /** Undefined while control cannot see the stream. */
  readonly fullness: (stream: StreamName) => Fullness | undefined;
  /** Browsers that look at the console. */
  readonly browsers: () => number;
}

export const controlMetrics = defineMetrics<ControlReadings>()({
  beats: {
    kind: 'counter',
    name: 'weir_control_beats_total',
    help: 'Beats of shards by outcome; full: more shards than the table may hold',
    advice:
      '`invalid`: another version, or a foreign publisher on the subject. `full`: more shards than WEIR_MAX_SHARDS',
    labels: { outcome: BEAT_OUTCOMES },
  },
  queries: {
    kind: 'counter',
    name: 'weir_control_metric_queries_total',
    help: 'Requests to the metrics API by outcome; refused: not through the API server, stale: control hears no shards',
    advice:
      '`stale`: autoscalers hold still, because control hears no NATS or no shards. `measured` does not rise: no autoscaler asks. `refused`: a client bypasses the API server',
    labels: { outcome: QUERY_OUTCOMES },
  },
  kubernetesProblems: {
    kind: 'counter',
    name: 'weir_control_kubernetes_problems_total',
    help: 'Failed requests to the API server, by purpose',
    advice:
      '`pods`, `lease`: the API server or the rights of control. `trust`: no certificate, the metrics API cannot start. `caBundle`: the API server does not trust control',
    labels: { task: KUBE_TASKS },
  },
  caBundles: {
    kind: 'counter',
    name: 'weir_control_ca_bundles_total',
    help: 'Checks of the APIServices by outcome; foreign: it points to another Service, and control does not change it',
    advice: '`foreign`: another provider owns the API group',
    labels: { outcome: BUNDLE_OUTCOMES },
  },
  rounds: {
    kind: 'counter',
    name: 'weir_control_rebalance_rounds_total',
    help: 'Rounds of the rebalancer by outcome',
    advice:
      '`unanswered`: shards do not answer. `nobodyMoved`: the clients are too new to be moved, or cannot be moved',
    labels: { pool: NAMES, outcome: ROUND_OUTCOMES },
  },
  movesAsked: {
    kind: 'counter',
    name: 'weir_control_moves_asked_total',
    help: 'Clients that control asked shards to send away',
    advice: 'Rises after a scale-up and then stops; a steady rise is a bug',
  },
  movesAccepted: {
    kind: 'counter',
    name: 'weir_control_moves_accepted_total',
    help: 'Clients that shards agreed to send away',
    advice: 'Against `moves_asked`',
  },
  deletionCosts: {
    kind: 'counter',
    name: 'weir_control_deletion_costs_written_total',
    help: 'Deletion costs written to pods',
    advice: 'At most one a minute a pod',
  },
  cleanUpRounds: {
    kind: 'counter',
    name: 'weir_control_clean_up_rounds_total',
    help: 'Rounds that looked for old deletions in the state stream, by outcome; more: there are more than a round removes',
    advice:
      '`more` all the time: deletions come faster than WEIR_CLEAN_UP_PER_SECOND. `failed`: the log says why. `otherControl`: two controls without Kubernetes',
    labels: { outcome: CLEANUP_OUTCOMES },
  },
  deletionsRemoved: {
    kind: 'counter',
    name: 'weir_control_deletions_removed_total',
    help: 'Old deletions removed from the state stream',
    advice: 'Follows the rate of deletions, WEIR_CLEAN_UP_AFTER_MS later',
  },
  streamLooks: {
    kind: 'counter',
    name: 'weir_control_stream_looks_total',
    help: 'Checks of the stream by outcome; lost: it did not store all published messages',
    advice:
      '`lost`: see `not_stored`. `failed`: the log says why. `seen`: this control does not lead, or does not count',
    labels: { stream: STREAMS, outcome: LOOK_OUTCOMES },
  },
  countedMessages: {
    kind: 'counter',
    name: 'weir_control_stream_counted_messages_total',
    help: 'Messages published while control counted',
    advice: 'One second of every WEIR_MEASURE_EVERY_MS is counted',
    labels: { stream: STREAMS },
  },
  notStoredMessages: {
    kind: 'counter',
    name: 'weir_control_stream_not_stored_messages_total',
    help: 'Counted messages that the stream certainly did not store',
    advice:
      'Any rise: messages are lost, and about WEIR_MEASURE_EVERY_MS / 1 s times as many as it says. The stream is full, or publishers are faster than the server can store: publish with acknowledgements (docs/publishing.md)',
    labels: { stream: STREAMS },
  },
  streamBytes: {
    kind: 'gauge',
    name: 'weir_control_stream_bytes',
    help: 'Bytes in the stream; -1 while control cannot see it',
    advice: 'Against `max_bytes`',
    labels: { stream: STREAMS },
    read: ofStreams(({ bytes }) => bytes),
  },
  streamMaxBytes: {
    kind: 'gauge',
    name: 'weir_control_stream_max_bytes',
    help: 'Most bytes that the stream takes; 0 is no limit, -1 while control cannot see it',
    advice: 'WEIR_STREAM_MAX_BYTES of the shards, or more if a person raised it',
    labels: { stream: STREAMS },
    read: ofStreams(({ maxBytes }) => maxBytes),
  },
  streamMessages: {
    kind: 'gauge',
    name: 'weir_control_stream_messages',
    help: 'Messages in the stream; -1 while control cannot see it',
    advice: 'State: keys, deletions that are not cleaned up yet, and a mark',
    labels: { stream: STREAMS },
    read: ofStreams(({ messages }) => messages),
  },
  streamMaxMessages: {
    kind: 'gauge',
    name: 'weir_control_stream_max_messages',
    help: 'Most messages that the stream takes; 0 is no limit, -1 while control cannot see it',
    advice: 'Weir sets none',
    labels: { stream: STREAMS },
    read: ofStreams(({ maxMessages }) => maxMessages),
  },
  streamFillRatio: {
    kind: 'gauge',
    name: 'weir_control_stream_fill_ratio',
    help: 'The part of its nearest limit that the stream uses; -1 while control cannot see it',
    advice:
      'State near 1: new keys are refused, and plain publishers are not told. Critical near 1: the window is shorter than WEIR_CRITICAL_MAX_AGE_MS. Raise WEIR_STREAM_MAX_BYTES',
    labels: { stream: STREAMS },
    read: ofStreams(fillRatio),
  },
  consoleFigures: {
    kind: 'counter',
    name: 'weir_control_console_figures_total',
    help: 'Answers of routers, shards and publishers to the console, by outcome',
    advice:
      '`invalid`: another version, or a foreign client of NATS. `full`: more processes, or larger answers, than WEIR_MAX_SHARDS allows for',
    labels: { outcome: FIGURE_OUTCOMES },
  },
  consoleActions: {
    kind: 'counter',
    name: 'weir_control_console_actions_total',
    help: 'Requests to the console to act, by action and outcome; asked: the console has asked once more',
    advice:
      '`notAuthorised`: a person without the token, or an attack. The log has a line at most every 30 s, with the number of others',
    labels: { action: ACTIONS, outcome: ACTION_OUTCOMES },
  },
  consoleSkipped: {
    kind: 'counter',
    name: 'weir_control_console_skipped_steps_total',
    help: 'Steps that a browser was not told, because it had not read the earlier ones',
    advice: 'A browser on a slow network; the others are not affected',
  },
  consoleBrowsers: {
    kind: 'gauge',
    name: 'weir_control_console_browsers',
    help: 'Browsers that look at the console',
    advice: 'At most WEIR_CONSOLE_MAX_BROWSERS',
    read: ({ browsers }) => browsers(),
  },
  leading: {
    kind: 'gauge',
    name: 'weir_control_leading',
    help: 'Whether this control leads (1)',
    advice: 'The sum over all controls is 1; 0 for more than 30 s: no control rebalances',
    read: ({ leading }) => (leading() ? 1 : 0),
  },
  podViewAge: {
    kind: 'gauge',
    name: 'weir_control_pod_view_age_seconds',
    help: 'Time since the list of pods was last confirmed; -1 before the first and without Kubernetes',
    advice: 'Over 60: the API server does not answer control',
    read: ({ podsAgeMs }) => (Number.isFinite(podsAgeMs()) ? podsAgeMs() / 1000 : UNKNOWN),
  },
  certificateExpiry: {
    kind: 'gauge',
    name: 'weir_control_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of the metrics API ends; -1 without a certificate',
    advice:
      'Less than 30 days away: control does not renew it; look at the Secret and the problems of `trust`',
    read: ({ certificateEndsMs }) => secondsOf(certificateEndsMs()),
  },
  pods: {
    kind: 'gauge',
    name: 'weir_control_pods',
    help: 'Live pods of shards; silent: control heard them before and does not now, so it says nothing of their load',
    advice: '`silent` for more than some seconds: shards run and do not reach NATS',
    labels: { state: POD_STATES },
    read: podsByState,
  },
});

/** What control writes to. */
export type ControlMetrics = Metrics<typeof controlMetrics>;

/** Registers everything; `pools` are the names that the label `pool` may have, beside `other`. */
export function createControlMetrics(
  registry: Registry,
  pools: readonly string[],
): RegisteredMetrics<typeof controlMetrics> {
  return registerMetrics(registry, controlMetrics, { pool: [...pools, 'other'] });
}

function ofStreams(of: (fullness: Fullness) => number): (readings: ControlReadings) => readonly Sample[] {
  return ({ fullness }) =>
    STREAMS.map((stream) => {
      const seen = fullness(stream);
      return [{ stream }, seen === undefined ? UNKNOWN : of(seen)];
    });
}

function podsByState({ pods }: ControlReadings): readonly Sample[] {
  const counts = pods();
  return POD_STATES.map((state) => [{ state }, counts[state]]);
}

function secondsOf(ms: number | undefined): number {
  return ms === undefined ? UNKNOWN : ms / 1000;
}
