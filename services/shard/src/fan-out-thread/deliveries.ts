// What follows from a pong beyond its proof of delivery: a second look at the client's network, and a move of a client
// that another pool suits better. It connects those stages; a pong costs no allocation unless something is sent.
import { randomFillSync } from 'node:crypto';
import { PAD_FRAME_BYTES, padding } from '@weir/protocol';
import type { Clock } from '@weir/runtime';
import type { ShardConfig } from '../config.ts';
import { poolDefaults, threadsOf } from '../config.ts';
import { add, count, observeRepair } from '../port/counts.ts';
import type { Looked } from '../port/messages.ts';
import { LOOK_CLASSES, LOOK_RESULTS, REASSIGN_VERDICTS } from '../port/outcomes.ts';
import type { SharedFlags } from '../port/shared-flags.ts';
import type { ThreadCounts } from '../port/thread-counts.ts';
import type { Connection } from './connection/connection.ts';
import type { FanOut } from './fan-out/fan-out.ts';
import type { LookLimits, LookResult, LookStep } from './reassign/look.ts';
import { Look, TRAIN_FRAMES } from './reassign/look.ts';
import { LookBudget } from './reassign/look-budget.ts';
import type { Reassignment } from './reassign/reassignment.ts';
import { reassignmentOf } from './reassign/reassignment.ts';
import { Standing } from './reassign/standing.ts';

/** A client is calm while no more than this is under way: it travels in front of a train and counts as part of it. */
const CALM_BYTES = 4_096;

export interface DeliveriesOptions {
  readonly config: ShardConfig;
  readonly clock: Clock;
  readonly counts: ThreadCounts;
  readonly flags: SharedFlags;
  readonly fanOut: Pick<FanOut, 'ping' | 'size'>;
  readonly remeasure: (connection: Connection, reason: 'tooSlow' | 'promote') => void;
  /** Where the log has each look. */
  readonly looked: (look: Looked) => void;
}

export class Deliveries {
  readonly #o: DeliveriesOptions;
  readonly #reassignment: Reassignment;
  readonly #looks: LookLimits | undefined;
  readonly #budget: LookBudget;
  readonly #pads: Buffer;
  readonly #logs: boolean;
  /** The pong that is being judged: one object for all pongs. */
  readonly #pong = {
    lagMs: 0,
    writtenBytes: 0,
    flowingSinceMs: 0,
    connections: 0,
    look: 'none' as 'none' | 'right' | 'fast' | 'slow',
    nowMs: 0,
    isTrain: false,
    provenBytes: 0,
    provenMs: 0,
    isLast: false,
  };

  constructor(options: DeliveriesOptions) {
    this.#o = options;
    const { config, clock } = options;
    const { demotion: demotes, promotion: promotes } = poolDefaults(config);
    const threads = threadsOf(config);
    this.#reassignment = reassignmentOf(config, { demotion: demotes, promotion: promotes, threads });
    const looks = config.lookBytesPerSecond > 0 && (demotes || promotes);
    this.#looks = looks
      ? {
          promotes,
          demotes,
          unsureAfterMs: config.lookAfterMs,
          sureAfterMs: Math.max(config.lookAfterMs, config.promotionHealthMs),
          everyMs: config.lookEveryMs,
        }
      : undefined;
    this.#budget = new LookBudget(config.lookBytesPerSecond / threads, clock.monotonicMs());
    this.#pads = padding(TRAIN_FRAMES.Z, (bytes) => randomFillSync(new Uint8Array(bytes)));
    this.#logs = config.logLevel === 'debug' || config.logLevel === 'trace';
  }

  /** A tick of this shard was late. */
  tick(lateMs: number, nowMs: number): void {
    this.#reassignment.tick(lateMs, nowMs);
  }

  admitted(connection: Connection, nowMs: number): void {
    const { history, ceiling, finding } = connection.ticket;
    const mayRise = ceiling !== this.#o.config.pool;
    connection.standing = new Standing({ history, mayRise, nowMs });
    if (this.#looks === undefined || finding === undefined) return;
    if (mayRise || this.#looks.demotes) connection.look = new Look(finding, this.#looks, nowMs);
  }

  /** A pong came that proved something. */
  delivered(connection: Connection): void {
    const { standing, look, clock } = connection;
    const { counts, flags, fanOut, remeasure } = this.#o;
    if (connection.delivery.over || standing === undefined || flags.draining) return;
    const pong = this.#pong;
    pong.lagMs = clock.lagMs;
    pong.writtenBytes = clock.written;
    pong.flowingSinceMs = connection.delivery.liveSinceMs;
    pong.connections = fanOut.size;
    pong.nowMs = this.#o.clock.monotonicMs();
    if (look !== undefined) this.#hear(connection, look);
    pong.look = look === undefined ? 'none' : (look.verdict ?? 'right');
    if (pong.nowMs < connection.leavingUntilMs) return;
    const judged = this.#reassignment.judge(standing, pong);
    if (judged === undefined) {
      if (look !== undefined) this.#advance(connection, look);
      return;
    }
    add(counts[judged.is], REASSIGN_VERDICTS.indexOf(judged.verdict), 1);
    if (judged.verdict !== 'move') return;
    if (look?.verdict !== undefined) observeRepair(counts.histograms, pong.nowMs - connection.openedMs);
    remeasure(connection, judged.is === 'slow' ? 'tooSlow' : 'promote');
  }

  #hear(connection: Connection, look: Look): void {
    const { clock } = connection;
    const pong = this.#pong;
    pong.isTrain = clock.provenTrain;
    pong.provenBytes = clock.provenBytes;
    pong.provenMs = clock.provenMs;
    pong.isLast = clock.waitingSinceMs === undefined;
    look.heard(pong);
    const result = look.takeResult();
    if (result !== undefined) this.#count(connection, look, result);
  }

  #count(connection: Connection, look: Look, result: LookResult): void {
    const router = connection.ticket.finding?.class ?? 'slow';
    const { counts, looked } = this.#o;
    const row = LOOK_CLASSES.indexOf(router) * LOOK_RESULTS.length;
    add(counts.looks, row + LOOK_RESULTS.indexOf(result), 1);
    if (!this.#logs) return;
    const { session } = connection;
    looked({ session, router, shard: result, evidence: look.inWords });
  }

  /** Sends what a look asks for, while client and shard are calm and there are bytes for it. */
  #advance(connection: Connection, look: Look): void {
    const { nowMs, connections } = this.#pong;
    const step = look.next(nowMs);
    if (step === undefined || !isCalm(connection) || this.#reassignment.isBusy(connections, nowMs)) return;
    const pad = this.#padOf(step);
    const { fanOut } = this.#o.counts;
    if (pad !== undefined) {
      if (!this.#budget.take(pad.length, nowMs)) return add(fanOut, count.looksWaited, 1);
      add(fanOut, count.lookTrains, 1);
      add(fanOut, count.lookBytes, pad.length);
    }
    look.sent(step, nowMs);
    this.#o.fanOut.ping(connection, pad);
  }

  #padOf(step: LookStep): Uint8Array | undefined {
    return step === 'ping' ? undefined : this.#pads.subarray(0, TRAIN_FRAMES[step] * PAD_FRAME_BYTES);
  }
}

/** It gets everything as it comes, and next to nothing is under way. */
function isCalm({ delivery, clock, socket }: Connection): boolean {
  return (
    delivery.state === 'live' &&
    clock.waitingSinceMs === undefined &&
    clock.backlog <= CALM_BYTES &&
    socket.writableLength === 0
  );
}
