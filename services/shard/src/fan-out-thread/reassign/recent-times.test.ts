import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentTimes } from './recent-times.ts';

describe('the last times', () => {
  it('are long ago where there were none', () => {
    expect(new RecentTimes(3).last(1)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('are those of a list, as far as they are remembered', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 8 }), fc.nat({ max: 20 }), (all, size, n) => {
        const times = new RecentTimes(size);
        for (const time of all) times.note(time);
        const back = Math.min(Math.max(n, 1), size);
        expect(times.last(n)).toBe(all.at(-back) ?? Number.NEGATIVE_INFINITY);
      }),
    );
  });
});
