// Decides which clients are asked to be measured again, because a slower or a faster pool may suit them better
// (docs/decisions/0005-demotion.md, 0008-promotion.md): one call per pong, which allocates nothing. It sends nothing,
// decides no pool (the router does), and never judges a client by a time in which this shard itself was slow. Each thread
// has one, with its own connections' share of the moves.
import type { ShardConfig } from '../../config.ts';
import type { ReassignVerdict } from '../../port/outcomes.ts';
import { RecentTimes } from './recent-times.ts';
import type { Standing } from './standing.ts';

/** When a client is asked. */
export interface ReassignmentLimits {
  /** Whether clients that are too slow for this pool are asked. */
  readonly demotes: boolean;
  /** Whether clients that are well enough for a faster pool are asked. */
  readonly promotes: boolean;
  /** Delivery lag of a client that is too slow for this pool. */
  readonly slowLagMs: number;
  /** Shortest stay in a pool, on any of its shards. */
  readonly minStayMs: number;
  /** The same for a client that was never moved and that a second look has found to be in the wrong pool. */
  readonly firstStayMs: number;
  /** How long a client must have been well, all the time. */
  readonly promotionHealthMs: number;
  /** The smallest lag of that time is not larger: the router would call a longer round trip slow. */
  readonly promotionRttMs: number;
  /** No lag of that time is larger. */
  readonly promotionLagMs: number;
  /** Bytes that have arrived in that time at least: fewer prove nothing. */
  readonly promotionMinBytes: number;
  /** Stay after a first move; twice as long after each further one, up to `maxBackoffMs`. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** How many of these there are in the process. */
  readonly threads: number;
}

/** A pong that came. The caller may use one object for all of them. */
export interface Pong {
  readonly lagMs: number;
  /** Bytes written to the connection so far. */
  readonly writtenBytes: number;
  /** Since when it gets everything without being held back; infinity while it does not. */
  readonly flowingSinceMs: number;
  /** Connections of this thread. */
  readonly connections: number;
  /** What second looks say of the client: `none` if there are no such looks, `right` if its pool suits it. */
  readonly look: 'none' | 'right' | 'fast' | 'slow';
  readonly nowMs: number;
}

export interface Judgement {
  readonly is: 'slow' | 'fast';
  readonly verdict: ReassignVerdict;
}

/** If this share of the clients turns slow within the window, the shard or the edge is slow (decision 0005). */
const WINDOW_MS = 10_000;
const BLAME_SHARE = 0.05;
/** In a small shard, this many slow clients do not blame the shard. */
const BLAME_AT_LEAST = 5;
/** Maximum moves per second, both ways together, as a share of the connections (decision 0008); at least one. */
const MOVES_SHARE = 0.01;
/** If a tick is later than this, the process does not get the CPU time that it needs. */
const OWN_LATENESS_MS = 250;
/** Moves are forgotten after a stay of this many of the longest back-offs (by default an hour: "at most 4 moves/h"). */
const CALM_BACKOFFS = 2;
/** Enough for 1 % of 100,000 connections a second; blame begins here at the latest. */
const REMEMBERED = 1_024;

type Judgements = Readonly<Record<ReassignVerdict, Judgement>>;
const judgements = (is: Judgement['is']): Judgements => ({
  move: { is, verdict: 'move' },
  tooNew: { is, verdict: 'tooNew' },
  tooMany: { is, verdict: 'tooMany' },
  shardIsSlow: { is, verdict: 'shardIsSlow' },
});
const SLOW = judgements('slow');
const FAST = judgements('fast');

export class Reassignment {
  readonly #limits: ReassignmentLimits;
  readonly #calmMs: number;
  readonly #turnedSlow = new RecentTimes(REMEMBERED);
  readonly #moved = new RecentTimes(REMEMBERED);
  #lateUntilMs = Number.NEGATIVE_INFINITY;

  constructor(limits: ReassignmentLimits) {
    this.#limits = limits;
    this.#calmMs = CALM_BACKOFFS * limits.maxBackoffMs;
  }

  /** A tick of this shard was late. */
  tick(lateMs: number, nowMs: number): void {
    if (lateMs > OWN_LATENESS_MS) this.#lateUntilMs = nowMs + WINDOW_MS;
  }

  /**
   * What follows from a pong; undefined if the pool suits the client. After `move` the caller asks the client to be
   * measured again; the standing counts it as asked already.
   */
  judge(standing: Standing, pong: Pong): Judgement | undefined {
    const { demotes, promotes, slowLagMs } = this.#limits;
    const isWell = promotes && standing.mayRise && this.#isFast(standing, pong);
    const fast = pong.look === 'none' ? isWell : promotes && standing.mayRise && pong.look === 'fast';
    if (pong.lagMs >= slowLagMs) {
      if (standing.slowSinceMs === undefined) this.#turnedSlow.note(pong.nowMs);
      standing.slowSinceMs ??= pong.nowMs;
      return demotes ? this.#decide(standing, pong, SLOW) : undefined;
    }
    standing.slowSinceMs = undefined;
    if (demotes && pong.look === 'slow') return this.#decide(standing, pong, SLOW);
    return fast ? this.#decide(standing, pong, FAST) : undefined;
  }

  /** Whether it has been well long enough, this pong included. */
  #isFast(standing: Standing, { lagMs, writtenBytes, flowingSinceMs, nowMs }: Pong): boolean {
    const { promotionHealthMs, promotionRttMs, promotionLagMs, promotionMinBytes } = this.#limits;
    if (lagMs > promotionLagMs || flowingSinceMs > standing.lastPongMs) {
      standing.unwell(writtenBytes, nowMs);
      return false;
    }
    standing.well(lagMs, nowMs);
    return (
      standing.provenMs >= promotionHealthMs &&
      standing.smallestLagMs <= promotionRttMs &&
      standing.bytesIn(writtenBytes) >= promotionMinBytes
    );
  }

  /** Whether this shard, or the edge, is busy: no client is measured meanwhile. */
  isBusy(connections: number, nowMs: number): boolean {
    return this.#isSlow(connections, nowMs);
  }

  #decide(standing: Standing, pong: Pong, as: Judgements): Judgement {
    const { connections, writtenBytes, nowMs } = pong;
    if (this.#isSlow(connections, nowMs)) return as.shardIsSlow;
    if (standing.stayMs(nowMs) < this.#stayNeeded(standing, as, pong)) return as.tooNew;
    if (!this.#mayMove(connections, nowMs)) return as.tooMany;
    this.#moved.note(nowMs);
    standing.asked(nowMs, this.#calmMs);
    standing.unwell(writtenBytes, nowMs);
    return as.move;
  }

  /**
   * Each past move doubles the wait of a client that a move left in its pool, or that is to be promoted. A client that was
   * promoted and is too slow after all is demoted after the shortest stay.
   */
  #stayNeeded(standing: Standing, as: Judgements, { look, nowMs }: Pong): number {
    const { minStayMs, firstStayMs, backoffMs, maxBackoffMs } = this.#limits;
    const moves = standing.moves(nowMs, this.#calmMs);
    if (moves === 0 && (look === 'fast' || look === 'slow')) return Math.min(firstStayMs, minStayMs);
    if (moves === 0 || (as === SLOW && !standing.kept)) return minStayMs;
    return Math.max(minStayMs, Math.min(maxBackoffMs, backoffMs * 2 ** (moves - 1)));
  }

  /** Whether the shard or the edge is slow, rather than the client. */
  #isSlow(connections: number, nowMs: number): boolean {
    const blameFrom = Math.floor(Math.max(BLAME_AT_LEAST, connections * BLAME_SHARE)) + 1;
    return nowMs < this.#lateUntilMs || nowMs - this.#turnedSlow.last(blameFrom) < WINDOW_MS;
  }

  /** At most the share within any second; with few connections, at most one a second in the whole process. */
  #mayMove(connections: number, nowMs: number): boolean {
    const perSecond = connections * MOVES_SHARE;
    if (perSecond >= 1) return nowMs - this.#moved.last(Math.floor(perSecond)) >= 1_000;
    return nowMs - this.#moved.last(1) >= 1_000 / Math.max(perSecond, 1 / this.#limits.threads);
  }
}

/** A reassignment with the limits of the settings. */
export function reassignmentOf(
  config: ShardConfig,
  { demotion, promotion, threads }: { demotion: boolean; promotion: boolean; threads: number },
): Reassignment {
  return new Reassignment({
    demotes: demotion,
    promotes: promotion,
    slowLagMs: config.demotionLagMs,
    minStayMs: config.minStayMs,
    firstStayMs: config.lookAfterMs,
    promotionHealthMs: config.promotionHealthMs,
    promotionRttMs: config.promotionRttMs,
    promotionLagMs: config.promotionLagMs,
    promotionMinBytes: config.promotionMinBytes,
    backoffMs: config.moveBackoffMs,
    maxBackoffMs: config.moveBackoffMaxMs,
    threads,
  });
}
