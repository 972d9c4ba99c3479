// A simulated betting market: twelve matches whose odds change ten times a second. Pure: knows no time, NATS or file.

export const MARKET_CHANNEL = 'market';

const TEAMS = [
  ['Northgate', 'Wexley'],
  ['Harbour', 'Oakfield'],
  ['Castleton', 'Rovers'],
  ['Millbrook', 'Dynamo'],
  ['Eastvale', 'Albion'],
  ['Redhill', 'Union'],
  ['Kingsport', 'Athletic'],
  ['Lakeside', 'Forest'],
  ['Ashford', 'Wanderers'],
  ['Stonebridge', 'City'],
  ['Fairview', 'Olympic'],
  ['Westbury', 'Thistle'],
] as const;
const START_ODDS = [2.1, 3.3, 3.5] as const;

/** A value of the state lane. `n` counts the updates of its key, so that a client sees how many it skipped. */
export interface Quote {
  readonly n: number;
  /** When it was published, in milliseconds of the wall clock. */
  readonly at: number;
  readonly home: string;
  readonly away: string;
  readonly score: readonly [number, number];
  readonly minute: number;
  readonly odds: readonly number[];
  readonly staked: number;
}

/** A critical message. `n` counts all goals, so that a client sees whether it missed one. */
export interface Goal {
  readonly n: number;
  readonly at: number;
  readonly key: string;
  readonly home: string;
  readonly away: string;
  readonly score: readonly [number, number];
  readonly team: string;
}

interface Match {
  n: number;
  minute: number;
  staked: number;
  readonly score: [number, number];
  readonly odds: number[];
}

export class Market {
  readonly #random: () => number;
  readonly #matches: readonly Match[];
  #goals = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#matches = TEAMS.map(() => ({
      n: 0,
      minute: Math.floor(random() * 80),
      staked: 10_000 + random() * 90_000,
      score: [0, 0],
      odds: START_ODDS.map((odds) => rounded(odds * (0.7 + random() * 0.8))),
    }));
  }

  /** One update of every match, by key. */
  next(nowMs: number): ReadonlyMap<string, Quote> {
    return new Map(this.#matches.map((match, index) => [keyOf(index), this.#quote(match, index, nowMs)]));
  }

  goal(nowMs: number): Goal {
    const index = Math.floor(this.#random() * this.#matches.length);
    const [home, away] = TEAMS[index] ?? TEAMS[0];
    const score = this.#matches[index]?.score ?? [0, 0];
    const side = this.#random() < 0.55 ? 0 : 1;
    score[side] += 1;
    if (score[side] > 6) score[0] = score[1] = 1; // the match was long: another one begins
    this.#goals += 1;
    const team = side === 0 ? home : away;
    return { n: this.#goals, at: nowMs, key: keyOf(index), home, away, score: [score[0], score[1]], team };
  }

  #quote(match: Match, index: number, nowMs: number): Quote {
    const [home, away] = TEAMS[index] ?? TEAMS[0];
    match.n += 1;
    if (this.#random() < 0.002) match.minute = (match.minute % 90) + 1;
    match.staked += this.#random() * 40;
    for (let at = 0; at < match.odds.length; at += 1) {
      const odds = match.odds[at] ?? 2;
      match.odds[at] = rounded(Math.min(9.8, Math.max(1.05, odds * (1 + (this.#random() - 0.5) * 0.03))));
    }
    const { n, minute, staked, score, odds } = match;
    return {
      n,
      at: nowMs,
      home,
      away,
      score: [score[0], score[1]],
      minute,
      odds: [...odds],
      staked: rounded(staked),
    };
  }
}

function keyOf(index: number): string {
  return `match-${index + 1}`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
