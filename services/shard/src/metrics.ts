// Every series of the shard. Hot loops add to plain numbers; a scrape reads them here.
import type { Lane } from '@weir/protocol';
import { LANES } from '@weir/protocol';
import type { Registry } from '@weir/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { AdmitOutcome } from './admit/admission.ts';
import { ADMIT_OUTCOMES } from './admit/admission.ts';
import type { RejectReason } from './intake/accept.ts';
import { REJECT_REASONS } from './intake/accept.ts';
import type { Judgement } from './reassign/reassignment.ts';
import { REASSIGN_VERDICTS } from './reassign/reassignment.ts';

/** What ended a connection from our side. */
export const CLOSE_CAUSES = ['hardBytes', 'lag', 'tooManyMessages', 'protocolError', 'drain'] as const;
export type CloseCause = (typeof CLOSE_CAUSES)[number];

/** Why the shard asks clients to move. */
export const MOVE_REASONS = ['drain', 'tooSlow', 'promote'] as const;

/** Numbers that are read when somebody looks. */
export interface ShardReadings {
  readonly gauges: Readonly<Record<string, { readonly help: string; readonly read: () => number }>>;
  readonly counters: Readonly<Record<string, { readonly help: string; readonly read: () => number }>>;
}

/** What the stages tell. */
export interface ShardMetrics {
  admitted(outcome: AdmitOutcome): void;
  accepted(lane: Lane): void;
  rejected(lane: Lane | undefined, reason: RejectReason): void;
  cosmeticDropped(): void;
  closed(cause: CloseCause): void;
  moved(reason: (typeof MOVE_REASONS)[number]): void;
  /** A pong came of a client that another pool may suit better; what followed. */
  judged(judgement: Judgement): void;
  intakeProblem(stream: 'state' | 'critical', problem: 'epoch' | 'gap' | 'failed'): void;
  lag(lagMs: number): void;
  tick(lateMs: number): void;
}

/** Makes the series; those with closed labels begin at 0. */
export function createShardMetrics(registry: Registry): ShardMetrics {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: readonly string[] = []): Counter =>
    new Counter({ name: `weir_shard_${name}`, help, labelNames: [...labelNames], registers });
  const admissions = counter('admissions_total', 'Upgrade requests by outcome', ['outcome']);
  const intake = counter('intake_messages_total', 'Messages taken from NATS by lane', ['lane']);
  const rejections = counter(
    'intake_rejected_total',
    'Messages that cannot be broadcast, by lane and reason',
    ['lane', 'reason'],
  );
  const cosmetic = counter('intake_cosmetic_dropped_total', 'Cosmetic messages that did not fit in a tick');
  const closes = counter('closes_total', 'Connections that the shard closed, by cause', ['cause']);
  const moves = counter('moves_total', 'Clients asked to move, by reason', ['reason']);
  const slow = counter('slow_pongs_total', 'Deliveries too late for the pool, by what followed', ['verdict']);
  const healthy = counter(
    'healthy_pongs_total',
    'Deliveries of clients well enough for a faster pool, by what followed',
    ['verdict'],
  );
  const problems = counter('intake_problems_total', 'Epochs, gaps and failures of reading, by stream', [
    'stream',
    'problem',
  ]);
  const lags = new Histogram({
    name: 'weir_shard_delivery_lag_seconds',
    help: 'Time until a ping behind a frame was answered: network and client together',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers,
  });
  const lateness = new Histogram({
    name: 'weir_shard_tick_lateness_seconds',
    help: 'How late ticks ran',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  });
  for (const outcome of ADMIT_OUTCOMES) admissions.inc({ outcome }, 0);
  for (const lane of LANES) intake.inc({ lane }, 0);
  for (const reason of REJECT_REASONS) {
    for (const lane of [...LANES, 'none']) rejections.inc({ lane, reason }, 0);
  }
  for (const stream of ['state', 'critical']) {
    for (const problem of ['epoch', 'gap', 'failed']) problems.inc({ stream, problem }, 0);
  }
  for (const reason of MOVE_REASONS) moves.inc({ reason }, 0);
  for (const verdict of REASSIGN_VERDICTS) {
    slow.inc({ verdict }, 0);
    healthy.inc({ verdict }, 0);
  }
  for (const cause of CLOSE_CAUSES) closes.inc({ cause }, 0);
  return {
    admitted: (outcome) => admissions.inc({ outcome }),
    accepted: (lane) => intake.inc({ lane }),
    rejected: (lane, reason) => rejections.inc({ lane: lane ?? 'none', reason }),
    cosmeticDropped: () => cosmetic.inc(),
    closed: (cause) => closes.inc({ cause }),
    moved: (reason) => moves.inc({ reason }),
    judged: ({ is, verdict }) => (is === 'slow' ? slow : healthy).inc({ verdict }),
    intakeProblem: (stream, problem) => problems.inc({ stream, problem }),
    lag: (lagMs) => lags.observe(lagMs / 1000),
    tick: (lateMs) => lateness.observe(lateMs / 1000),
  };
}

/** Publishes numbers that live elsewhere: read at each scrape, never pushed. */
export function exposeReadings(registry: Registry, readings: ShardReadings): void {
  for (const [name, { help, read }] of Object.entries(readings.gauges)) {
    new Gauge({
      name: `weir_shard_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
  for (const [name, { help, read }] of Object.entries(readings.counters)) {
    new Counter({
      name: `weir_shard_${name}`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
