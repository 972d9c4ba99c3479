import { describe, expect, it } from 'vitest';
import { Market } from './market.ts';

describe('the market', () => {
  it('updates each match once a turn, with a number that rises by one', () => {
    const market = new Market(Math.random);
    for (let turn = 1; turn <= 50; turn += 1) {
      const quotes = market.next(turn);
      expect(quotes.size).toBe(12);
      for (const { n, at, odds } of quotes.values()) {
        expect([n, at]).toEqual([turn, turn]);
        for (const price of odds) expect(price).toBeGreaterThanOrEqual(1.05);
      }
    }
  });

  it('numbers its goals without a gap, and shows them in the score', () => {
    const market = new Market(() => 0.3);
    for (let n = 1; n <= 20; n += 1) {
      const goal = market.goal(0);
      expect(goal.n).toBe(n);
      expect(market.next(0).get(goal.key)?.score).toEqual(goal.score);
    }
  });
});
