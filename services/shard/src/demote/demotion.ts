// Which slow clients are asked to be measured again (probe.md 5.2 and 5.4), one pong at a time. Pure but for what it
// counts: it sends nothing, and it never judges a client by a time in which this shard itself was slow.

/** When a client is asked to leave for a pool that suits it, and when nobody is. */
export interface DemotionLimits {
  /** Delivery lag of a client that is too slow for this pool, in milliseconds. */
  readonly lagMs: number;
  /** Shortest stay on this shard before a client is asked, so that it cannot flap between pools. */
  readonly minStayMs: number;
}

/** A pong that came, and what it says. */
export interface Delivery {
  readonly lagMs: number;
  /** How long the client has been on this shard. */
  readonly stayMs: number;
  /** Connections of the shard. */
  readonly connections: number;
  /** When the client was last counted as slow, as this answered; nothing where never. */
  readonly slowSinceMs: number | undefined;
  readonly nowMs: number;
}

/** What follows from a delivery that was too late. A closed set: it is a label of a metric. */
export const SLOW_VERDICTS = ['move', 'tooNew', 'tooMany', 'shardIsSlow'] as const;
export type SlowVerdict = (typeof SLOW_VERDICTS)[number];
export type DemotionVerdict = SlowVerdict | 'fine';

/** If so many turn slow within the window, it is the shard or the edge that is slow (probe.md 5.4). */
const WINDOW_MS = 10_000;
const BLAME_SHARE = 0.05;
/** In a small shard a few slow clients are still only slow clients. */
const BLAME_AT_LEAST = 5;
/** Most moves a second, as a share of the connections; at least one. */
const MOVES_SHARE = 0.01;
/** A tick later than this: the process does not get the time that it needs. */
const OWN_LATENESS_MS = 250;

export class Demotion {
  readonly #limits: DemotionLimits;
  /** When clients turned slow, within the window; never longer than twice the share of blame. */
  #turnedSlowMs: number[] = [];
  #moves = 0;
  #movesFilledMs: number | undefined;
  #lateUntilMs = Number.NEGATIVE_INFINITY;

  constructor(limits: DemotionLimits) {
    this.#limits = limits;
  }

  /** A tick of this shard was late. */
  tick(lateMs: number, nowMs: number): void {
    if (lateMs > OWN_LATENESS_MS) this.#lateUntilMs = nowMs + WINDOW_MS;
  }

  /** What follows from a pong. `slowSinceMs` is to be kept with the client. */
  judge(delivery: Delivery): {
    readonly verdict: DemotionVerdict;
    readonly slowSinceMs: number | undefined;
  } {
    const { lagMs, stayMs, connections, nowMs } = delivery;
    if (lagMs < this.#limits.lagMs) return { verdict: 'fine', slowSinceMs: undefined };
    const slowSinceMs = delivery.slowSinceMs ?? nowMs;
    const blameFrom = Math.max(BLAME_AT_LEAST, connections * BLAME_SHARE);
    this.#turnedSlowMs = this.#turnedSlowMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    if (delivery.slowSinceMs === undefined && this.#turnedSlowMs.length <= 2 * blameFrom)
      this.#turnedSlowMs.push(nowMs);
    const verdict = this.#verdict(stayMs, connections, nowMs, blameFrom);
    return { verdict, slowSinceMs };
  }

  #verdict(stayMs: number, connections: number, nowMs: number, blameFrom: number): SlowVerdict {
    if (this.#turnedSlowMs.length > blameFrom || nowMs < this.#lateUntilMs) return 'shardIsSlow';
    if (stayMs < this.#limits.minStayMs) return 'tooNew';
    return this.#takeMove(Math.max(1, connections * MOVES_SHARE), nowMs) ? 'move' : 'tooMany';
  }

  /** A bucket that holds the moves of one second. */
  #takeMove(perSecond: number, nowMs: number): boolean {
    const seconds = (nowMs - (this.#movesFilledMs ?? Number.NEGATIVE_INFINITY)) / 1_000;
    this.#moves = Math.min(perSecond, this.#moves + seconds * perSecond);
    this.#movesFilledMs = nowMs;
    if (this.#moves < 1) return false;
    this.#moves--;
    return true;
  }
}
