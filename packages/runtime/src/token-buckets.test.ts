import { describe, expect, it } from 'vitest';
import { TokenBuckets } from './token-buckets.ts';

describe('TokenBuckets', () => {
  it('refill up to their burst, also out of debt, and lose nothing when a clock goes back', () => {
    const buckets = new TokenBuckets({ perSecond: 10, burst: 5, maxKeys: 10 });
    buckets.filled('a', 1_000).tokens -= 8;
    expect([900, 1_000, 1_300, 1_500, 9_000].map((nowMs) => buckets.tokens('a', nowMs))).toEqual([
      -3, -3, 0, 2, 5,
    ]);
    expect(buckets.filled('a', 1_500).tokens).toBe(2);
  });

  it('remember keys that took tokens, not keys that only asked, up to their limit', () => {
    const buckets = new TokenBuckets({ perSecond: 0, burst: 1, maxKeys: 4 });
    expect([buckets.tokens('x', 0), buckets.size]).toEqual([1, 0]);
    for (let i = 0; i < 100; i++) {
      buckets.filled(`k${i}`, 0).tokens -= 1;
      expect(buckets.size).toBeLessThanOrEqual(4);
    }
    expect([buckets.tokens('k99', 0), buckets.tokens('k0', 0)]).toEqual([0, 1]);
  });
});
