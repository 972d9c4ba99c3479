import { describe, expect, it } from 'vitest';
import { RevisionOrder } from './revision-order.ts';

const togetherMs = 3_000;

/** Beats of these revisions once a second, from one time to the other; the orders of the last ones. */
function beats(order: RevisionOrder, fromMs: number, toMs: number, revisions: readonly string[]): number[] {
  let last: number[] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 1_000) {
    last = revisions.map((revision) => order.order({ pool: 'desktop', revision }, nowMs));
  }
  return last;
}

describe('the order of revisions', () => {
  it('is the one in which they appeared', () => {
    const order = new RevisionOrder(togetherMs);
    expect(beats(order, 0, 20_000, ['a'])).toEqual([0]);
    expect(beats(order, 21_000, 40_000, ['a', 'b'])).toEqual([0, 1]);
  });

  it('makes a revision that returns the newest: a rollback', () => {
    const order = new RevisionOrder(togetherMs);
    beats(order, 0, 20_000, ['a']);
    beats(order, 21_000, 40_000, ['a', 'b']);
    beats(order, 41_000, 60_000, ['b']);
    expect(beats(order, 61_000, 80_000, ['a', 'b'])).toEqual([2, 1]);
  });

  it('stays the same after a time without beats', () => {
    const order = new RevisionOrder(togetherMs);
    beats(order, 0, 20_000, ['a']);
    beats(order, 21_000, 40_000, ['a', 'b']);
    expect(beats(order, 90_000, 92_000, ['b', 'a'])).toEqual([1, 0]);
    expect(beats(order, 93_000, 120_000, ['b', 'a'])).toEqual([1, 0]);
  });

  it('ignores a short silence of a revision', () => {
    const order = new RevisionOrder(togetherMs);
    beats(order, 0, 20_000, ['a']);
    beats(order, 21_000, 40_000, ['a', 'b']);
    beats(order, 41_000, 48_000, ['b']);
    expect(beats(order, 49_000, 50_000, ['a', 'b'])).toEqual([0, 1]);
  });
});
