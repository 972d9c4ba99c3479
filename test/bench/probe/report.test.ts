// What the bench counts as right, and the table of links.

import { describe, expect, it } from 'vitest';
import { expectedClass, links, randomLinks } from './links.ts';
import { goals, inBrief, quantile, type Run, summarise, table } from './report.ts';

const [first] = links;
if (first === undefined) throw new Error('there are no links');
const fastLink = { ...first, rttMs: 8, expected: 'fast' as const };
const slowLink = { ...first, name: 'slow', rttMs: 60, expected: 'slow' as const };

function run(link: Run['link'], cls: Run['class'], tookMs = 50, bytes = 11_000): Run {
  return {
    link,
    client: 'ws',
    congestion: 'cubic',
    outcome: 'measured',
    class: cls,
    tookMs,
    bytes,
    trains: 1,
  };
}

describe('the bench of the probe', () => {
  it('leaves out links within a quarter of a threshold', () => {
    expect(expectedClass(1499, 10)).toBe('slow');
    expect(expectedClass(1500, 10)).toBe('either');
    expect(expectedClass(2500, 10)).toBe('either');
    expect(expectedClass(2501, 10)).toBe('fast');
    expect(expectedClass(50_000, 200)).toBe('fast');
    expect(expectedClass(50_000, 300)).toBe('either');
    expect(expectedClass(50_000, 340)).toBe('slow');
  });
  it('has links with unique names, of both classes', () => {
    expect(new Set(links.map(({ name }) => name)).size).toBe(links.length);
    for (const expected of ['fast', 'slow', 'either']) {
      expect(links.filter((link) => link.expected === expected).length).toBeGreaterThan(3);
    }
    for (const { kbps, rttMs } of links) expect(kbps * rttMs).toBeGreaterThan(0);
  });
  it('makes the same random links for the same seed', () => {
    expect(randomLinks(12, 7)).toEqual(randomLinks(12, 7));
    expect(randomLinks(12, 7)).not.toEqual(randomLinks(12, 8));
    expect(randomLinks(12, 7).every(({ rttMs }) => rttMs <= 701)).toBe(true);
  });
  it('distinguishes the two kinds of wrong class', () => {
    const runs = [run(fastLink, 'fast'), run(fastLink, 'slow'), run(slowLink, 'fast'), run(slowLink, 'slow')];
    expect(summarise('x', runs)).toMatchObject({
      runs: 4,
      rightPercent: 50,
      falseDesktop: 1,
      falseMobile: 1,
    });
    expect(summarise('x', [run({ ...slowLink, expected: 'either' }, 'fast')]).rightPercent).toBe(100);
  });
  it('checks its goals', () => {
    const good = [run(fastLink, 'fast'), run(slowLink, 'slow', 290)];
    expect(goals(good).every(({ met }) => met)).toBe(true);
    expect(goals([run(fastLink, 'fast', 101)]).filter(({ met }) => !met)).toHaveLength(1);
    expect(goals([run(fastLink, 'fast', 1700, 40_001)]).filter(({ met }) => !met)).toHaveLength(4);
    expect(table(good)).toContain('met     bytes <= 40 000: 11000');
  });
  it('sums up a link in one line', () => {
    const runs = [run(fastLink, 'fast'), run(fastLink, 'slow')];
    expect(inBrief(summarise('x', runs))).toBe(
      'x: 2 runs, 50.0 % right, 0 false desktop, 1 false mobile, 50 ms, at most 11.0 KB',
    );
  });
  it('takes quantiles of few or no values', () => {
    expect(quantile([], 0.5)).toBe(0);
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, 4], 1)).toBe(4);
  });
});
