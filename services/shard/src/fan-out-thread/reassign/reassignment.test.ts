import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Judgement, Pong, ReassignmentLimits } from './reassignment.ts';
import { Reassignment } from './reassignment.ts';
import type { StandingOptions } from './standing.ts';
import { Standing } from './standing.ts';

const MINUTE = 60_000;

const desktop: ReassignmentLimits = {
  demotes: true,
  promotes: false,
  slowLagMs: 3_000,
  minStayMs: MINUTE,
  firstStayMs: 10_000,
  promotionHealthMs: MINUTE,
  promotionRttMs: 220,
  promotionLagMs: 500,
  promotionMinBytes: 16_384,
  backoffMs: 2 * MINUTE,
  maxBackoffMs: 30 * MINUTE,
  threads: 1,
};
const mobile: ReassignmentLimits = { ...desktop, demotes: false, promotes: true };

const standing = (given: Partial<StandingOptions> = {}): Standing =>
  new Standing({ history: undefined, mayRise: true, nowMs: 0, ...given });
const settled = (): Standing => standing({ nowMs: -MINUTE });
const slow: Pong = {
  lagMs: 3_000,
  writtenBytes: 0,
  flowingSinceMs: 0,
  connections: 1_000,
  look: 'none',
  nowMs: 0,
};
const verdict = (judged: Judgement | undefined): string =>
  judged === undefined ? 'fine' : `${judged.is} ${judged.verdict}`;

/** As many settled clients that turn slow at once. */
const verdictsOf = (judge: Reassignment, count: number, nowMs: number): readonly string[] =>
  Array.from({ length: count }, () =>
    verdict(judge.judge(standing({ nowMs: nowMs - MINUTE }), { ...slow, nowMs })),
  );

describe('a client that is slow', () => {
  it.each([
    ['that keeps up', { lagMs: 2_999 }, 'fine'],
    ['that does not', {}, 'slow move'],
    ['that has just come', { nowMs: -1 }, 'slow tooNew'],
    ['that is the only one', { connections: 1 }, 'slow move'],
  ])('%s', (_who, change, expected) => {
    expect(verdict(new Reassignment(desktop).judge(settled(), { ...slow, ...change }))).toBe(expected);
  });

  it('is not asked in a pool without demotion', () => {
    const judge = new Reassignment(mobile);
    expect(verdict(judge.judge(settled(), slow))).toBe('fine');
    const client = settled();
    expect(verdict(new Reassignment({ ...mobile, promotes: false }).judge(client, slow))).toBe('fine');
    // What is slow is known all the same: reports of the load leave it out.
    expect(client.slowSinceMs).toBe(0);
  });

  it('is asked again only after the back-off if it stays', () => {
    const judge = new Reassignment(desktop);
    const client = settled();
    const askedMs: number[] = [];
    for (let nowMs = 0; nowMs < 240 * MINUTE; nowMs += 1_000) {
      if (judge.judge(client, { ...slow, nowMs })?.verdict === 'move') askedMs.push(nowMs);
    }
    const minutes = askedMs.map((ms) => ms / MINUTE);
    expect(minutes).toEqual([0, 2, 6, 14, 30, 60, 90, 120, 150, 180, 210]);
  });
});

describe('a client that a second look measured with certainty', () => {
  const found = { ...slow, lagMs: 40, flowingSinceMs: Number.POSITIVE_INFINITY };
  const history = { stayedMs: 0, moves: 1, kept: false };

  it.each([
    ['slow, in the fast pool', desktop, { look: 'slow' }, 'slow move'],
    ['slow, in the slow pool', mobile, { look: 'slow' }, 'fine'],
    ['fast, in the slow pool', mobile, { look: 'fast' }, 'fast move'],
    ['fast, in the fast pool', desktop, { look: 'fast' }, 'fine'],
    ['right', mobile, { look: 'right' }, 'fine'],
  ] as const)('that it is %s', (_what, limits, change, expected) => {
    expect(verdict(new Reassignment(limits).judge(settled(), { ...found, ...change }))).toBe(expected);
  });

  it('does not wait for a minute, once', () => {
    const judge = new Reassignment(mobile);
    const at = (client: Standing, nowMs: number): string =>
      verdict(judge.judge(client, { ...found, look: 'fast', nowMs }));
    expect([at(standing(), 9_999), at(standing(), 10_000)]).toEqual(['fast tooNew', 'fast move']);
    expect(at(standing({ history }), MINUTE)).toBe('fast tooNew');
    expect(at(standing({ history }), 2 * MINUTE)).toBe('fast move');
  });

  it('returns after a minute at the earliest', () => {
    const judge = new Reassignment(desktop);
    const back = standing({ history });
    const at = (nowMs: number): string => verdict(judge.judge(back, { ...found, look: 'slow', nowMs }));
    expect([at(MINUTE - 1), at(MINUTE)]).toEqual(['slow tooNew', 'slow move']);
  });

  it('stays where it asked for this pool', () => {
    const client = standing({ mayRise: false, nowMs: -MINUTE });
    expect(verdict(new Reassignment(mobile).judge(client, { ...found, look: 'fast' }))).toBe('fine');
  });

  it('is not asked for its health: only the look counts', () => {
    const judge = new Reassignment(mobile);
    const client = standing();
    for (let ms = 0; ms <= 5 * MINUTE; ms += 1_000)
      expect(pong(judge, client, ms, { look: 'right' })).toBeUndefined();
  });
});

describe('moves', () => {
  it('are at most 1 % of the connections in any second', () => {
    const judge = new Reassignment(desktop);
    expect(verdictsOf(judge, 12, 0)).toEqual([
      ...Array(10).fill('slow move'),
      ...Array(2).fill('slow tooMany'),
    ]);
    expect(verdictsOf(judge, 1, 999)).toEqual(['slow tooMany']);
    expect(verdictsOf(judge, 11, 1_000).filter((each) => each === 'slow move')).toHaveLength(10);
  });

  it('are one a second with few clients, on all threads together', () => {
    const few = { ...slow, connections: 20 };
    const judge = new Reassignment({ ...desktop, threads: 4 });
    expect(judge.judge(settled(), few)?.verdict).toBe('move');
    expect(judge.judge(settled(), { ...few, nowMs: 3_999 })?.verdict).toBe('tooMany');
    expect(judge.judge(settled(), { ...few, nowMs: 4_000 })?.verdict).toBe('move');
  });

  it('are shared by promotions and demotions', () => {
    const judge = new Reassignment({ ...mobile, demotes: true, promotionHealthMs: 0, promotionMinBytes: 0 });
    const fast = { ...slow, lagMs: 10, connections: 1, flowingSinceMs: -MINUTE };
    expect(verdict(judge.judge(settled(), fast))).toBe('fast move');
    expect(verdict(judge.judge(settled(), { ...slow, connections: 1 }))).toBe('slow tooMany');
  });
});

describe('a shard that is slow itself', () => {
  it('demotes no client if one in twenty becomes slow within ten seconds', () => {
    const judge = new Reassignment(desktop);
    expect(verdictsOf(judge, 60, 0).slice(50)).toEqual(Array(10).fill('slow shardIsSlow'));
    expect(verdictsOf(judge, 1, 9_999)).toEqual(['slow shardIsSlow']);
    expect(verdictsOf(judge, 1, 10_001)).toEqual(['slow move']);
  });

  it('demotes no client while its ticks are late', () => {
    const judge = new Reassignment(desktop);
    judge.tick(250, 0);
    judge.tick(251, 1_000);
    expect(verdictsOf(judge, 1, 10_999)).toEqual(['slow shardIsSlow']);
    expect(verdictsOf(judge, 1, 11_000)).toEqual(['slow move']);
  });

  it('counts a client that stays slow once', () => {
    const judge = new Reassignment(desktop);
    const client = standing();
    for (let nowMs = 0; nowMs < 30_000; nowMs += 100) {
      expect(judge.judge(client, { ...slow, nowMs, connections: 10 })?.verdict).toBe('tooNew');
    }
    expect(client.slowSinceMs).toBe(0);
    judge.judge(client, { ...slow, lagMs: 5, nowMs: 30_000 });
    expect(client.slowSinceMs).toBeUndefined();
  });

  it('promotes no client either', () => {
    const judge = new Reassignment(mobile);
    const client = wellFor(judge, standing(), MINUTE - 1_000);
    for (let i = 0; i < 51; i++) judge.judge(standing(), { ...slow, nowMs: MINUTE });
    expect(verdict(pong(judge, client, MINUTE))).toBe('fast shardIsSlow');
    judge.tick(300, 65_000);
    expect(verdict(pong(judge, client, 71_000))).toBe('fast shardIsSlow');
    expect(verdict(pong(judge, client, 75_000))).toBe('fast move');
  });
});

/** A pong of a client in good health: 2 KB a second, 40 ms. */
function pong(
  judge: Reassignment,
  client: Standing,
  nowMs: number,
  change: Partial<Pong> = {},
): Judgement | undefined {
  const many = { connections: 1_000, look: 'none' } as const;
  const well = { lagMs: 40, writtenBytes: nowMs * 2, flowingSinceMs: -1e9, ...many, nowMs };
  return judge.judge(client, { ...well, ...change });
}

/** A pong a second. */
function wellFor(judge: Reassignment, client: Standing, forMs: number, fromMs = 0): Standing {
  for (let ms = 0; ms <= forMs; ms += 1_000) pong(judge, client, fromMs + ms);
  return client;
}

describe('a healthy client', () => {
  /** Seconds after which it is led up, of five minutes with a pong each `everyMs`. */
  function ledUpAfter(
    change: (nowMs: number) => Partial<Pong>,
    given: Partial<StandingOptions> = {},
    everyMs = 1_000,
  ): number | undefined {
    const judge = new Reassignment(mobile);
    const client = standing(given);
    for (let nowMs = everyMs; nowMs <= 5 * MINUTE; nowMs += everyMs) {
      if (pong(judge, client, nowMs, change(nowMs))?.verdict === 'move') return nowMs / 1_000;
    }
    return undefined;
  }
  const once = (atMs: number, change: Partial<Pong>) => (nowMs: number) => (nowMs === atMs ? change : {});

  it.each([
    ['all the time', () => ({}), 60],
    ['but for one late pong', once(30_000, { lagMs: 501 }), 90],
    ['with a pong that is not quite late', once(30_000, { lagMs: 500 }), 60],
    ['but was held back for a moment', once(30_000, { flowingSinceMs: 29_500 }), 90],
    ['but is held back', () => ({ flowingSinceMs: Number.POSITIVE_INFINITY }), undefined],
    ['on a long way', () => ({ lagMs: 221 }), undefined],
    ['on a way that is just short enough', () => ({ lagMs: 220 }), 60],
    ['on a way that is short at times', (nowMs: number) => ({ lagMs: 100 + (nowMs % 4_000) / 10 }), 60],
    ['with too little to judge by', (nowMs: number) => ({ writtenBytes: nowMs / 10 }), 164],
    ['with nothing to judge by', () => ({ writtenBytes: 0 }), undefined],
  ])('%s', (_how, change, expected) => {
    expect(ledUpAfter(change)).toBe(expected);
  });

  it('needs longer on a quiet line: silence proves nothing', () => {
    expect(ledUpAfter(() => ({}), {}, 15_000)).toBe(300);
  });

  it('stays where it asked for this pool', () => {
    expect(ledUpAfter(() => ({}), { mayRise: false })).toBeUndefined();
  });

  it('waits for the end of its stay, on whichever shard', () => {
    const history = { moves: 1, kept: false };
    expect(ledUpAfter(() => ({}), { history: { ...history, stayedMs: 0 } })).toBe(120);
    expect(ledUpAfter(() => ({}), { history: { ...history, stayedMs: 30_000 } })).toBe(90);
    expect(ledUpAfter(() => ({}), { history: { ...history, stayedMs: 10 * MINUTE } })).toBe(60);
  });
});

describe('the back-off', () => {
  /** How long a client that is always well waits in the slow pool after so many moves. */
  const waitMinutes = (moves: number): number => {
    const judge = new Reassignment(mobile);
    const client = standing({ history: { stayedMs: 0, moves, kept: true } });
    for (let nowMs = 1_000; nowMs < 600 * MINUTE; nowMs += 1_000) {
      if (pong(judge, client, nowMs)?.verdict === 'move') return nowMs / MINUTE;
    }
    return Number.POSITIVE_INFINITY;
  };

  it('doubles with each move, up to its bound', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 99].map(waitMinutes)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it('does not keep a client in a pool that is too fast for it', () => {
    const client = standing({ history: { stayedMs: 0, moves: 5, kept: false } });
    const judge = new Reassignment(desktop);
    expect(judge.judge(client, { ...slow, nowMs: MINUTE - 1 })?.verdict).toBe('tooNew');
    expect(judge.judge(client, { ...slow, nowMs: MINUTE })?.verdict).toBe('move');
    expect(client.history(MINUTE)).toEqual({ stayedMs: 0, moves: 6, kept: true });
  });

  it('is forgotten after a long calm', () => {
    const history = { stayedMs: 0, moves: 5, kept: false };
    const [before, after] = [standing({ history }), standing({ history })];
    const judge = new Reassignment(desktop);
    judge.judge(before, { ...slow, nowMs: 60 * MINUTE - 1 });
    judge.judge(after, { ...slow, nowMs: 60 * MINUTE });
    expect([before.history(0).moves, after.history(0).moves]).toEqual([6, 1]);
  });

  it('bounds how often a client moves whose network is good here and bad there', () => {
    // Well in the slow pool, too slow in the fast one, and led up and down at once.
    const [up, down] = [new Reassignment(mobile), new Reassignment(desktop)];
    const movedMs: number[] = [];
    let client = standing();
    let inMobile = true;
    for (let nowMs = 1_000; nowMs < 600 * MINUTE; nowMs += 1_000) {
      const judged = inMobile ? pong(up, client, nowMs) : down.judge(client, { ...slow, nowMs });
      if (judged?.verdict !== 'move') continue;
      movedMs.push(nowMs);
      inMobile = !inMobile;
      client = standing({ nowMs, history: { ...client.history(nowMs), kept: false } });
    }
    expect(movedMs.slice(0, 8).map((ms) => ms / MINUTE)).toEqual([1, 2, 6, 7, 23, 24, 54, 55]);
    const inLastHour = movedMs.filter((ms) => ms > 540 * MINUTE);
    expect(inLastHour.length).toBeLessThanOrEqual(4);
  });
});

describe('any sequence of measurements', () => {
  const limits = fc.record({
    minStayMs: fc.constantFrom(1_000, 10_000, MINUTE),
    promotionHealthMs: fc.constantFrom(0, 500),
    demotes: fc.boolean(),
    promotes: fc.boolean(),
  });

  it('never more than 1 % are moved in any second, nor one client twice within its stay', () => {
    const pongs = fc.array(
      fc.record({
        afterMs: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 2_000 })),
        client: fc.nat({ max: 40 }),
        lagMs: fc.oneof(fc.constant(50), fc.nat({ max: 6_000 })),
        held: fc.nat({ max: 9 }).map((one) => one === 0),
      }),
      { minLength: 50, maxLength: 400, size: 'max' },
    );
    fc.assert(
      fc.property(limits, pongs, fc.integer({ min: 1, max: 500 }), (change, all, connections) => {
        const judge = new Reassignment({ ...mobile, promotionMinBytes: 0, ...change });
        const clients = Array.from({ length: 41 }, () => standing({ nowMs: -change.minStayMs }));
        const movedMs: number[] = [];
        const lastMs = new Map<number, number>();
        let nowMs = 0;
        for (const { afterMs, client, lagMs, held } of all) {
          nowMs += afterMs;
          const flowingSinceMs = held ? nowMs : -1e9;
          const at = clients[client];
          if (at === undefined) throw new Error('no such client');
          const pong = { lagMs, writtenBytes: 0, flowingSinceMs, connections, look: 'none', nowMs } as const;
          if (judge.judge(at, pong)?.verdict !== 'move') continue;
          movedMs.push(nowMs);
          expect(nowMs - (lastMs.get(client) ?? -1e9)).toBeGreaterThanOrEqual(change.minStayMs);
          lastMs.set(client, nowMs);
        }
        const most = Math.max(1, Math.floor(connections / 100));
        for (const fromMs of movedMs) {
          const within = movedMs.filter((ms) => ms >= fromMs && ms < fromMs + 1_000);
          expect(within.length).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('no client is asked twice within a minute, on whichever shards it is and wherever the router sends it', () => {
    const steps = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 100, max: 20_000 }),
        lagMs: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 8_000 })),
        // What the router does with a client that was asked; else now and then a drain to another shard of the pool.
        goes: fc.constantFrom('up', 'down', 'stays', 'ignores'),
        drained: fc.boolean(),
      }),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const shards = {
          mobile: new Reassignment({ ...mobile, promotionMinBytes: 0, promotionHealthMs: 5_000 }),
          desktop: new Reassignment(desktop),
        };
        let pool: keyof typeof shards = 'mobile';
        let client = standing();
        let askedMs = Number.NEGATIVE_INFINITY;
        let nowMs = 0;
        // In a hint and a ticket there are whole seconds.
        const carried = (): Pick<StandingOptions, 'history'> => {
          const history = client.history(nowMs);
          return { history: { ...history, stayedMs: Math.floor(history.stayedMs / 1_000) * 1_000 } };
        };
        for (const { afterMs, lagMs, goes, drained } of all) {
          nowMs += afterMs;
          const judged = shards[pool].judge(client, { ...slow, lagMs, flowingSinceMs: -1e9, nowMs });
          if (judged?.verdict === 'move') {
            expect(nowMs - askedMs).toBeGreaterThanOrEqual(MINUTE);
            askedMs = nowMs;
            if (goes === 'ignores') continue;
            const next: keyof typeof shards = goes === 'stays' ? pool : goes === 'up' ? 'desktop' : 'mobile';
            const { history } = carried();
            if (history === undefined) throw new Error('there is always one');
            client = standing({ nowMs, history: { ...history, stayedMs: 0, kept: next === pool } });
            pool = next;
          } else if (drained) {
            client = standing({ nowMs, ...carried() });
          }
        }
      }),
    );
  });
});
