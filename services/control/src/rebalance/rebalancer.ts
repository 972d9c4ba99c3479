// Brings overfull shards down to the average, one second's moves at a time. Works only while this control leads, every
// shard takes part, and no shard has come or gone recently. Any failure ends the round; the next one has new numbers.
import type { ShardEntry } from '@weir/fleet';
import type { Donor, Hindrance } from './plan.ts';
import { connectionsOf, hindrance, plan, tolerance } from './plan.ts';

/** Rates and waits. */
export interface Pace {
  /** Maximum moves per second of all shards of all pools together. */
  readonly movesPerSecond: number;
  readonly coolDownMs: number;
  /** Time that a shard gives each client to move. */
  readonly withinMs: number;
}

/** The dependencies of the rebalancer. */
export interface RebalancerOptions {
  readonly pace: Pace;
  readonly monotonicMs: () => number;
  /** Asked before each request. */
  readonly leading: () => boolean;
  /** The live shards; undefined if they are unknown. */
  readonly entries: () => readonly ShardEntry[] | undefined;
  /** How many live pods of a pool have not been heard. */
  readonly unheard: (pool: string) => number;
  /** Asks a shard; resolves to the number of moves that it accepts, or undefined if it does not answer. */
  readonly shed: (shard: string, moves: number) => Promise<number | undefined>;
  readonly onRound?: (pool: string, outcome: RoundOutcome) => void;
  readonly onMoves?: (asked: number, accepted: number) => void;
}

/** How a round ended. */
export const ROUND_OUTCOMES = ['balanced', 'again', 'hindered', 'unanswered', 'nobodyMoved'] as const;
export type RoundOutcome = (typeof ROUND_OUTCOMES)[number];

/** Maximum moves per request, a limit of the protocol. */
const maxMovesAtOnce = 500;
const stepMs = 1_000;
/**
 * Maximum share of a pool's connections per second, the same as for promotions and demotions. Rebalancing is not
 * urgent, and a burst of handshakes would delay the data of the moved clients. Small pools have a minimum number
 * instead.
 */
const mostOfPool = 0.01;
const leastMoves = 20;
/** Heartbeats come once a second; two of them show that the last client has moved. */
const beatsMs = 3_000;
const maxRounds = 20;
const maxPools = 64;

interface Round {
  readonly left: Map<string, number>;
  accepted: number;
  /** When the numbers will show the requested moves; set after the last request. */
  settledMs: number | undefined;
}

interface Pool {
  members: string;
  /** No round starts before this time. */
  quietUntilMs: number;
  round: Round | undefined;
  rounds: number;
}

/** One step a second. */
export class Rebalancer {
  readonly #o: RebalancerOptions;
  readonly #pools = new Map<string, Pool>();
  #stepping: Promise<void> | undefined;

  constructor(options: RebalancerOptions) {
    this.#o = options;
  }

  /** Steps do not overlap: a call during a step returns that step. */
  step(): Promise<void> {
    this.#stepping ??= this.#step().finally(() => {
      this.#stepping = undefined;
    });
    return this.#stepping;
  }

  /** Ends the cool-downs. Answers by pool how many clients are to move, or why none can; undefined if nothing is known. */
  now(): ReadonlyMap<string, number | Hindrance> | undefined {
    const entries = this.#o.entries();
    if (entries === undefined || !this.#o.leading()) return undefined;
    const nowMs = this.#o.monotonicMs();
    const found = new Map<string, number | Hindrance>();
    for (const [name, shards] of groupByPool(entries)) {
      const pool = this.#poolOf(name, shards, nowMs);
      const surplus = plan(shards, tolerance).reduce((sum, donor) => sum + donor.surplus, 0);
      const why = hindrance(shards, this.#o.unheard(name));
      found.set(name, why ?? surplus);
      if (pool !== undefined && why === undefined) pool.quietUntilMs = nowMs;
    }
    return found;
  }

  async #step(): Promise<void> {
    const entries = this.#o.entries();
    if (entries === undefined || !this.#o.leading()) {
      // A control that starts to lead or to hear shards waits as after a change.
      this.#pools.clear();
      return;
    }
    let budget = Math.floor((this.#o.pace.movesPerSecond * stepMs) / 1000);
    const byPool = groupByPool(entries);
    for (const name of this.#pools.keys()) if (!byPool.has(name)) this.#pools.delete(name);
    for (const [name, shards] of byPool) budget -= await this.#stepPool(name, shards, budget);
  }

  /** Resolves to the number of requested moves. */
  async #stepPool(name: string, shards: readonly ShardEntry[], budget: number): Promise<number> {
    const nowMs = this.#o.monotonicMs();
    const pool = this.#poolOf(name, shards, nowMs);
    if (pool === undefined) return 0;
    if (hindrance(shards, this.#o.unheard(name)) !== undefined) {
      this.#end(name, pool, 'hindered');
      return 0;
    }
    if (nowMs < pool.quietUntilMs) return 0;
    pool.round ??= beginRound(plan(shards, tolerance));
    const { round } = pool;
    if (round === undefined) {
      if (pool.rounds > 0) this.#end(name, pool, 'balanced');
      return 0;
    }
    if (round.settledMs === undefined)
      return this.#ask(name, pool, round, Math.min(budget, gentleMoves(shards)));
    if (nowMs < round.settledMs) return 0;
    this.#settle(name, pool, round);
    return 0;
  }

  #poolOf(name: string, shards: readonly ShardEntry[], nowMs: number): Pool | undefined {
    // A shard that restarts under its name has another address and no clients.
    const members = shards
      .map(({ shard, url }) => `${shard} ${url}`)
      .toSorted()
      .join('\n');
    const quietUntilMs = nowMs + this.#o.pace.coolDownMs;
    const known = this.#pools.get(name);
    if (known?.members === members) return known;
    if (known === undefined && this.#pools.size >= maxPools) return undefined;
    if (known?.round !== undefined) this.#o.onRound?.(name, 'hindered');
    const pool: Pool = { members, quietUntilMs, round: undefined, rounds: 0 };
    this.#pools.set(name, pool);
    return pool;
  }

  /** Divides the budget among the donors in proportion to their remaining moves. */
  async #ask(name: string, pool: Pool, round: Round, budget: number): Promise<number> {
    const total = [...round.left.values()].reduce((sum, left) => sum + left, 0);
    let asked = 0;
    for (const [shard, left] of round.left) {
      const share = Math.max(1, Math.floor((left / total) * budget));
      const moves = Math.min(left, share, budget - asked, maxMovesAtOnce);
      if (moves < 1) break;
      if (!this.#o.leading()) return asked;
      asked += moves;
      const accepted = await this.#o.shed(shard, moves);
      if (accepted === undefined) {
        this.#end(name, pool, 'unanswered');
        return asked;
      }
      this.#o.onMoves?.(moves, accepted);
      round.accepted += accepted;
      // Fewer than requested: the shard has no more clients that can move now.
      const rest = accepted < moves ? 0 : left - moves;
      if (rest === 0) round.left.delete(shard);
      else round.left.set(shard, rest);
    }
    if (round.left.size === 0) round.settledMs = this.#o.monotonicMs() + this.#o.pace.withinMs + beatsMs;
    return asked;
  }

  /** All requested moves should have happened: read the numbers again. */
  #settle(name: string, pool: Pool, round: Round): void {
    pool.rounds += 1;
    if (round.accepted === 0) this.#end(name, pool, 'nobodyMoved');
    else if (pool.rounds >= maxRounds) this.#end(name, pool, 'again');
    else {
      pool.round = undefined;
      this.#o.onRound?.(name, 'again');
    }
  }

  #end(name: string, pool: Pool, outcome: RoundOutcome): void {
    const nowMs = this.#o.monotonicMs();
    if (pool.round !== undefined || outcome === 'balanced') this.#o.onRound?.(name, outcome);
    pool.round = undefined;
    pool.rounds = 0;
    pool.quietUntilMs = nowMs + this.#o.pace.coolDownMs;
  }
}

/** Maximum moves per second of a pool. */
function gentleMoves(shards: readonly ShardEntry[]): number {
  return Math.max(leastMoves, Math.floor(connectionsOf(shards) * mostOfPool));
}

function beginRound(donors: readonly Donor[]): Round | undefined {
  if (donors.length === 0) return undefined;
  return {
    left: new Map(donors.map(({ shard, surplus }) => [shard, surplus])),
    accepted: 0,
    settledMs: undefined,
  };
}

function groupByPool(entries: readonly ShardEntry[]): ReadonlyMap<string, readonly ShardEntry[]> {
  const pools = new Map<string, ShardEntry[]>();
  for (const entry of entries) {
    const pool = pools.get(entry.pool);
    if (pool === undefined) pools.set(entry.pool, [entry]);
    else pool.push(entry);
  }
  return pools;
}
