// What the bench of routing counts as right, as a move, and as a change that was noticed.
import { describe, expect, it } from 'vitest';
import type { Visited } from './report.ts';
import { changed, classAt, interval, movesOf, sumAt, table } from './report.ts';
import type { Visit } from './visits.ts';
import { changingVisits, fixedVisits, randomVisits } from './visits.ts';

const visit = (change: Partial<Visit> = {}): Visit => ({
  name: 'v',
  kind: 'random',
  down: 'rate=3000',
  up: 'rate=1000',
  kbps: 3_000,
  rttMs: 60,
  changes: [],
  expected: 'fast',
  feed: 'small',
  ...change,
});
const visited = (pools: Visited['pools'], change: Partial<Visit> = {}, moves = 0): Visited => ({
  visit: visit(change),
  congestion: 'cubic',
  pools,
  moves: Array.from({ length: moves }, () => ({ reason: 'promote', atMs: 50_000 })),
  lost: [],
  padBytes: 11_000,
});
const mobile = { pool: 'mobile', atMs: 1_000 };
const desktop = { pool: 'desktop', atMs: 1_000 };

describe('the bench of routing', () => {
  it('takes the newest pool at a time, and no pool for a slow one', () => {
    const repaired = visited([mobile, { pool: 'desktop', atMs: 25_000 }]);
    expect([0, 2_000, 30_000].map((atMs) => classAt(repaired, atMs))).toEqual([undefined, 'slow', 'fast']);
    expect(sumAt([repaired], 2_500)).toMatchObject({ judged: 1, right: 0 });
    expect(sumAt([repaired], 30_000)).toMatchObject({ judged: 1, right: 1 });
  });

  it('counts false desktops, and leaves out what may be either', () => {
    const wrong = visited([desktop], { expected: 'slow' });
    const either = visited([desktop], { expected: 'either' });
    expect(sumAt([wrong, either], 30_000)).toEqual({ visits: 2, judged: 1, right: 0, falseDesktop: 1 });
  });

  it('tells moves of clients that were right from those that were not', () => {
    const all = [visited([desktop]), visited([desktop], {}, 1), visited([mobile], {}, 1)];
    expect(movesOf(all)).toEqual({ right: 0.5, wrong: 1 });
  });

  it('has an interval that narrows with the visits', () => {
    expect(interval(0, 0)).toEqual([0, 100]);
    const [low, high] = interval(995, 1_000);
    expect(low).toBeGreaterThan(98.8);
    expect(high).toBeLessThan(99.9);
  });

  it('wants a move after a lasting change, and none after one that passes', () => {
    const change = { atMs: 40_000, down: '', up: '' };
    const lasting = { kind: 'changing', changes: [change] } as const;
    const moved = visited([mobile, { pool: 'desktop', atMs: 120_000 }], lasting);
    expect(changed(moved)).toContain('right v (small, cubic): after 80 s');
    expect(changed(visited([mobile], lasting))).toContain('WRONG v (small, cubic): never');
    const passing = { kind: 'changing', changes: [change, { ...change, atMs: 60_000 }] } as const;
    expect(changed(visited([desktop], passing))).toContain('right v (small, cubic): 0 wrong moves');
    const lured = visited([desktop, { pool: 'mobile', atMs: 50_000 }], passing);
    expect(changed(lured)).toContain('WRONG v (small, cubic): 1 wrong moves');
  });

  it('sums up', () => {
    expect(table([visited([desktop]), visited([mobile])])).toContain(
      'random 30 s   2 visits, 2 judged, right 50.00 %',
    );
  });

  it('visits links of every kind with both feeds', () => {
    const all = [...fixedVisits(undefined), ...randomVisits(20, 1), ...changingVisits()];
    for (const kind of ['fixed', 'random', 'changing']) {
      const feeds = new Set(all.filter((one) => one.kind === kind).map(({ feed }) => feed));
      expect([...feeds].sort()).toEqual(['lobby', 'small']);
    }
    expect(fixedVisits(['hspa-plus'])).toMatchObject([{ expected: 'fast', kbps: 3_400 }]);
    expect(fixedVisits(['none'])).toEqual([]);
  });
});
