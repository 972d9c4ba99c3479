import { describe, expect, it } from 'vitest';
import type { DrainLimits, DrainOptions } from './drain.ts';
import { drain } from './drain.ts';

const limits: DrainLimits = {
  withinMs: 5_000,
  movesPerSecond: () => 500,
  windowMs: 20_000,
  movesMs: 40_000,
};

interface Bench {
  readonly options: DrainOptions<string>;
  readonly clock: { nowMs: number };
  readonly moves: { readonly who: string; readonly atMs: number }[];
  readonly closed: { readonly who: string; readonly atMs: number }[];
  readonly here: Set<string>;
}

/** `leavesMs`: how long after its move a client is gone; never where it is undefined. */
function setUp(o: {
  readonly clients: number;
  readonly limits?: Partial<DrainLimits>;
  readonly leavesMs?: number;
  readonly afterCloseMs?: number;
}): Bench {
  const clock = { nowMs: 0 };
  const here = new Set(Array.from({ length: o.clients }, (_, i) => `c${i}`));
  const moves: { who: string; atMs: number }[] = [];
  const closed: { who: string; atMs: number }[] = [];
  const leaves: { who: string; atMs: number }[] = [];
  let seed = 1;
  const options: DrainOptions<string> = {
    limits: { ...limits, ...o.limits },
    connections: () => [...here],
    move: async (who) => {
      moves.push({ who, atMs: clock.nowMs });
      if (o.leavesMs !== undefined) leaves.push({ who, atMs: clock.nowMs + o.leavesMs });
    },
    close: (who) => {
      closed.push({ who, atMs: clock.nowMs });
      leaves.push({ who, atMs: clock.nowMs + (o.afterCloseMs ?? 0) });
    },
    sleep: async (ms) => {
      clock.nowMs += ms;
      for (const { who, atMs } of leaves) if (atMs <= clock.nowMs) here.delete(who);
    },
    nowMs: () => clock.nowMs,
    random: () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    },
  };
  return { options, clock, moves, closed, here };
}

describe('drain', () => {
  it('ends at once without clients', async () => {
    const { options, clock } = setUp({ clients: 0 });
    await drain(options);
    expect(clock.nowMs).toBe(0);
  });

  it('asks each client once, in random order', async () => {
    const { options, moves, closed } = setUp({ clients: 50, leavesMs: 50 });
    await drain(options);
    const order = moves.map(({ who }) => who);
    expect(new Set(order).size).toBe(50);
    expect(order).not.toEqual(Array.from({ length: 50 }, (_, i) => `c${i}`));
    expect(closed).toEqual([]);
  });

  it('spreads the moves over the window', async () => {
    const { options, moves } = setUp({ clients: 4_000, leavesMs: 50 });
    await drain(options);
    const last = Math.max(...moves.map(({ atMs }) => atMs));
    expect(last).toBeGreaterThan(19_000);
    expect(last).toBeLessThanOrEqual(20_000);
    for (let fromMs = 0; fromMs < last; fromMs += 1_000) {
      const within = moves.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 1_000).length;
      expect(within).toBeLessThanOrEqual(200);
    }
  });

  it('never exceeds its moves per second, also if the window is too short', async () => {
    const { options, moves } = setUp({
      clients: 2_000,
      limits: { windowMs: 1_000, movesPerSecond: () => 300 },
      leavesMs: 50,
    });
    await drain(options);
    expect(moves).toHaveLength(2_000);
    const times = moves.map(({ atMs }) => atMs);
    for (const fromMs of new Set(times)) {
      expect(times.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000).length).toBeLessThanOrEqual(300);
    }
  });

  it.each([4, 15, 167])('keeps the pace of a share of the moves: %s a second', async (movesPerSecond) => {
    const { options, moves } = setUp({
      clients: 10 * movesPerSecond,
      limits: { windowMs: 1_000, movesPerSecond: () => movesPerSecond },
      leavesMs: 50,
    });
    await drain(options);
    const last = Math.max(...moves.map(({ atMs }) => atMs));
    expect(last).toBeGreaterThan(9_000);
    expect(last).toBeLessThan(10_500);
  });

  it('follows a pace that changes while it lasts', async () => {
    let movesPerSecond = 100;
    const { options, clock, moves } = setUp({
      clients: 1_000,
      limits: { windowMs: 1_000, movesPerSecond: () => movesPerSecond },
      leavesMs: 50,
    });
    const { sleep } = options;
    await drain({
      ...options,
      sleep: async (ms) => {
        await sleep(ms);
        movesPerSecond = clock.nowMs < 4_000 ? 100 : 50;
      },
    });
    const within = (fromMs: number, toMs: number): number =>
      moves.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).length;
    expect([within(0, 4_000), within(4_000, 8_000)]).toEqual([400, 200]);
    expect(moves).toHaveLength(1_000);
  });

  it('asks each client in time, also if its share of the pace is too small', async () => {
    const { options, moves } = setUp({
      clients: 1_000,
      limits: { windowMs: 1_000, movesPerSecond: () => 10, movesMs: 10_000 },
      leavesMs: 50,
    });
    await drain(options);
    expect(moves).toHaveLength(1_000);
    expect(Math.max(...moves.map(({ atMs }) => atMs))).toBeLessThanOrEqual(10_000);
    // Evenly, not all of them at the end.
    expect(moves.filter(({ atMs }) => atMs < 5_000).length).toBeGreaterThan(450);
  });

  it('ends as soon as the last client has left', async () => {
    const { options, clock } = setUp({ clients: 3, leavesMs: 700 });
    await drain(options);
    expect(clock.nowMs).toBeLessThan(1_500);
  });

  it('closes clients that have not left in time, and waits briefly for the closes', async () => {
    const { options, clock, closed, here } = setUp({ clients: 2, afterCloseMs: 500 });
    await drain(options);
    expect(closed.map(({ who }) => who).sort()).toEqual(['c0', 'c1']);
    const [first] = closed;
    expect(first?.atMs).toBeGreaterThanOrEqual(5_000);
    expect([here.size, clock.nowMs - (first?.atMs ?? 0)]).toEqual([0, 500]);
  });

  it('does not wait indefinitely for a client that ignores its close', async () => {
    const { options, clock } = setUp({ clients: 1, afterCloseMs: 1e9 });
    await drain(options);
    expect(clock.nowMs).toBeLessThan(10_000);
  });

  it('continues if one client cannot be asked: the shard closes it at the end', async () => {
    const { options, moves, closed } = setUp({ clients: 20, leavesMs: 50 });
    await drain({
      ...options,
      move: async (who) => {
        if (who === 'c7') throw new Error('broken');
        await options.move(who);
      },
    });
    expect([moves.length, closed.map(({ who }) => who)]).toEqual([19, ['c7']]);
  });
});
