import type { Hint } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { nextHistory, remeasured } from './history.ts';

const pools = ['phone', 'tablet', 'desktop'];
const history = { stayedMs: 90_000, moves: 2, kept: false };
const hint: Hint = { id: 'h', pool: 'tablet', allow: ['>'], history };

describe('the history of moves', () => {
  it.each([
    ['a drained client in its pool goes on with it', {}, 'tablet', history],
    ['one that had to change its pool stays there anew', {}, 'phone', { stayedMs: 0, moves: 2, kept: false }],
    ['measured again and moved', { measure: true }, 'desktop', { stayedMs: 0, moves: 2, kept: false }],
    ['measured again for nothing', { measure: true }, 'tablet', { stayedMs: 0, moves: 2, kept: true }],
  ])('%s', (_who, change, pool, expected) => {
    expect(nextHistory({ ...hint, ...change }, pool)).toEqual(expected);
  });

  it('is empty for new clients, and for hints of earlier releases', () => {
    expect(nextHistory(undefined, 'tablet')).toBeUndefined();
    expect(nextHistory({ id: 'h', pool: 'tablet', allow: [], measure: true }, 'tablet')).toBeUndefined();
  });
});

describe('a client that was measured again', () => {
  it.each([
    ['phone', 'slower'],
    ['tablet', 'same'],
    ['desktop', 'faster'],
  ] as const)('and goes from tablet to %s has become %s', (pool, result) => {
    expect(remeasured({ ...hint, measure: true }, pool, pools)).toBe(result);
    expect(remeasured(hint, pool, pools)).toBeUndefined();
  });
});
