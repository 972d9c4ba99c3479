import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMoveHistory, encodeMoveHistory } from './move-history.ts';

describe('a history of moves', () => {
  it.each([
    [{ stayedMs: 0, moves: 0, kept: false }, '0.0'],
    [{ stayedMs: 61_999, moves: 2, kept: false }, '61.2'],
    [{ stayedMs: 999, moves: 3, kept: true }, '0.3k'],
    [{ stayedMs: 1e12, moves: 1e12, kept: true }, '86400.99k'],
    [{ stayedMs: -5, moves: Number.NaN, kept: false }, '0.0'],
    [{ stayedMs: Number.POSITIVE_INFINITY, moves: 1.5, kept: false }, '86400.1'],
  ])('%o is written as %s', (history, text) => {
    expect(encodeMoveHistory(history)).toBe(text);
  });

  it('comes back in whole seconds', () => {
    const histories = fc.record({
      stayedMs: fc.nat({ max: 86_400_000 }),
      moves: fc.nat({ max: 99 }),
      kept: fc.boolean(),
    });
    fc.assert(
      fc.property(histories, (history) => {
        expect(decodeMoveHistory(encodeMoveHistory(history))).toEqual({
          ...history,
          stayedMs: Math.floor(history.stayedMs / 1_000) * 1_000,
        });
      }),
    );
  });

  it.each([
    undefined,
    null,
    5,
    '',
    '1',
    '1.',
    '.1',
    '1.1.1',
    '1.1x',
    '-1.1',
    '1e3.1',
    '999999.1',
    '1.100',
    ['1.1'],
  ])('is none where a claim says %j', (claim) => {
    expect(decodeMoveHistory(claim)).toBeUndefined();
  });

  it('counts a longer stay than a day as a day', () => {
    expect(decodeMoveHistory('99999.1')).toEqual({ stayedMs: 86_400_000, moves: 1, kept: false });
  });
});
