import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divide } from './divide.ts';

describe('divide', () => {
  it.each([
    ['in proportion', 10, [30, 70], [3, 7]],
    ['in whole numbers', 10, [5, 5, 5], [3, 3, 4]],
    ['nothing among nobody', 10, [0, 0], [0, 0]],
    ['nothing among no threads', 10, [], []],
    ['no more than there are', 10, [2, 0, 1], [2, 0, 1]],
  ])('%s', (_how, moves, has, shares) => {
    expect(divide(moves, has)).toEqual(shares);
  });

  it('gives each thread at most its clients, and shares out the whole number if possible', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.array(fc.nat(20_000), { maxLength: 64 }), (moves, has) => {
        const shares = divide(moves, has);
        for (const [i, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(has[i] ?? 0);
        }
        const total = has.reduce((sum, one) => sum + one, 0);
        expect(shares.reduce((sum, one) => sum + one, 0)).toBe(Math.min(moves, total));
      }),
    );
  });
});
