// Every metric of the shard, as three tables. The stages of the main thread write those here; a scrape reads those in
// readings.ts from the stages, and those in thread-readings.ts from the threads. Hot loops add to plain numbers.
import type { Lane } from '@weir/protocol';
import { LANES } from '@weir/protocol';
import type { Registry } from '@weir/runtime';
import { defineMetrics, registerMetrics } from '@weir/runtime';
import type { ReachOutcome } from './catch-up/reach.ts';
import { REACH_OUTCOMES } from './catch-up/reach.ts';
import type { RejectReason } from './intake/rejected.ts';
import { REJECT_REASONS } from './intake/rejected.ts';
import type { StreamProblem } from './intake/stream-reader.ts';
import { STREAM_PROBLEMS } from './intake/stream-reader.ts';
import { lookReadings } from './look-readings.ts';
import { mainReadings } from './readings.ts';
import type { Shard } from './shard.ts';
import type { ShedOutcome } from './shed/shedding.ts';
import { SHED_OUTCOMES } from './shed/shedding.ts';
import { threadReadings } from './thread-readings.ts';

/** What the stages of the main thread report. */
export interface ShardMetrics {
  accepted(lane: Lane): void;
  rejected(lane: Lane | undefined, reason: RejectReason): void;
  cosmeticDropped(): void;
  intakeProblem(stream: 'state' | 'critical', problem: StreamProblem): void;
  tick(lateMs: number): void;
  shed(outcome: ShedOutcome): void;
  resumed(outcome: ReachOutcome): void;
}

const toldMetrics = defineMetrics<Readonly<Record<Lane, number>>>()({
  intakeMessages: {
    kind: 'counter',
    name: 'weir_shard_intake_messages_total',
    help: 'Messages taken from NATS by lane',
    advice: 'The publish rate; all shards of a cluster see the same',
    labels: { lane: LANES },
    read: (accepted) => LANES.map((lane) => [{ lane }, accepted[lane]]),
  },
  intakeRejected: {
    kind: 'counter',
    name: 'weir_shard_intake_rejected_total',
    help: 'Messages that cannot be broadcast, by lane and reason',
    advice:
      'Any rise: a publisher sends invalid messages; `weir.rejected` has copies with the reason. `stateFull`: WEIR_STATE_MAX_KEYS or WEIR_STATE_MAX_BYTES',
    labels: { lane: [...LANES, 'none'], reason: REJECT_REASONS },
  },
  intakeCosmeticDropped: {
    kind: 'counter',
    name: 'weir_shard_intake_cosmetic_dropped_total',
    help: 'Cosmetic messages that did not fit in a tick',
    advice: 'Cosmetic traffic is over WEIR_COSMETIC_MAX_PER_TICK or its bytes',
  },
  intakeProblems: {
    kind: 'counter',
    name: 'weir_shard_intake_problems_total',
    help: 'Epochs, gaps, read failures and lost messages, by stream',
    advice:
      '`epoch`: a stream was recreated or restored, and clients get snapshots. `gap`: republished messages were missed and read from the stream. `failed`: the stream cannot be read. `missing`: messages were purged or aged out: in the state stream the shard wrote deletions in their place; in the critical stream nobody has read them, and clients got a gap',
    labels: { stream: ['state', 'critical'], problem: STREAM_PROBLEMS },
  },
  shedRequests: {
    kind: 'counter',
    name: 'weir_shard_shed_requests_total',
    help: 'Requests to send clients to other shards of the pool',
    advice:
      'Requests of control. `nobody`: the clients are too new, or were asked before. `unfit`: the shard drains, is stale or not ready. `tooOften`: another process asks, too',
    labels: { outcome: SHED_OUTCOMES },
  },
  resumes: {
    kind: 'counter',
    name: 'weir_shard_resumes_total',
    help: 'Clients that reconnected with a position, by whether the shard had read the whole state stream',
    advice: 'Many `late`: the shard reads the stream more slowly than clients reconnect; they get snapshots',
    labels: { outcome: REACH_OUTCOMES },
  },
  tickLateness: {
    kind: 'histogram',
    name: 'weir_shard_tick_lateness_seconds',
    help: 'How late ticks ran',
    advice: 'Over a tenth of the tick: the process lacks CPU',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  },
});

const readings = { ...mainReadings, ...threadReadings, ...lookReadings };

export const shardMetrics = { ...toldMetrics, ...readings };

export function createShardMetrics(registry: Registry): {
  readonly metrics: ShardMetrics;
  /** Tells the metrics which shard a scrape reads; called once. */
  readonly readFrom: (shard: Shard) => void;
} {
  const accepted: Record<Lane, number> = { state: 0, critical: 0, cosmetic: 0 };
  const told = registerMetrics(registry, toldMetrics);
  told.readFrom(accepted);
  const { metrics } = told;
  return {
    readFrom: (shard) => registerMetrics(registry, readings).readFrom(shard),
    metrics: {
      accepted: (lane) => {
        accepted[lane]++;
      },
      rejected: (lane, reason) => metrics.intakeRejected.inc({ lane: lane ?? 'none', reason }),
      cosmeticDropped: () => metrics.intakeCosmeticDropped.inc(),
      intakeProblem: (stream, problem) => metrics.intakeProblems.inc({ stream, problem }),
      tick: (lateMs) => metrics.tickLateness.observe(lateMs / 1000),
      shed: (outcome) => metrics.shedRequests.inc({ outcome }),
      resumed: (outcome) => metrics.resumes.inc({ outcome }),
    },
  };
}
