import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idInRound } from './round-id.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_.:/=+-]{1,128}$/);
const round = fc.integer({ min: 1, max: 1e9 });

describe('idInRound', () => {
  it('keeps the ids of the first round', () => {
    expect(idInRound('goal-7', { round: 1, run: 'x' })).toBe('goal-7');
    expect(idInRound('goal-7', { round: 2, run: 'x' })).toBe('goal-7.x.2');
  });

  it('makes valid ids, however long the originals are', () => {
    fc.assert(
      fc.property(id, round, (text, number) => {
        expect(idInRound(text, { round: number, run: 'm3k9z1ab' })).toMatch(/^[A-Za-z0-9_.:/=+-]{1,128}$/);
      }),
    );
  });

  it('makes different ids for different ids, and for different rounds', () => {
    const long = 'a'.repeat(127);
    const all = ['1', '2'].flatMap((end) => [2, 3].map((n) => idInRound(long + end, { round: n, run: 'r' })));
    expect(new Set(all).size).toBe(4);
  });
});
