// Series of an answer, as numbers: growth, labels, quantiles.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketsOf, byLabel, fade, increases, quantile, shares, together, total } from './series.ts';

describe('series', () => {
  const series = {
    a_total: 1,
    'b_total{x="1",y="p"}': 2,
    'b_total{x="1",y="q"}': 3,
    'b_total{x="2",y="p"}': 4,
  };

  it('are summed by metric and by label', () => {
    expect([total(series, 'a_total'), total(series, 'b_total'), total(series, 'b')]).toEqual([1, 9, 0]);
    expect(byLabel(series, 'b_total', 'x')).toEqual({ 1: 5, 2: 4 });
    expect(byLabel(series, 'b_total', 'z')).toEqual({});
  });

  it('stay numbers, whatever a label is called', () => {
    const odd = ['constructor', '__proto__', 'toString'];
    const named = Object.fromEntries(odd.map((name) => [`b_total{x="${name}"}`, 5]));
    expect(Object.entries(byLabel(named, 'b_total', 'x'))).toEqual(odd.map((name) => [name, 5]));
  });

  it('grow by what was added, and by all of it after a restart; gauges do not grow', () => {
    expect(increases({ a_total: 3, b_total: 9, g: 1 }, { a_total: 5, b_total: 2, c_total: 1, g: 7 })).toEqual(
      {
        a_total: 2,
        b_total: 2,
        c_total: 1,
      },
    );
    expect(increases({ a_total: 5 }, { a_total: 5 })).toEqual({});
  });
});

describe('a histogram', () => {
  const bucket = (le: string, count: number): Record<string, number> => ({
    [`lag_bucket{le="${le}"}`]: count,
  });
  const buckets = bucketsOf({ ...bucket('0.1', 50), ...bucket('1', 90), ...bucket('+Inf', 100) }, 'lag');

  it('has quantiles within its buckets, and the highest bound beyond them', () => {
    expect(quantile(buckets, 0.5)).toBeCloseTo(0.1);
    expect(quantile(buckets, 0.25)).toBeCloseTo(0.05);
    expect(quantile(buckets, 0.7)).toBeCloseTo(0.55);
    expect(quantile(buckets, 0.99)).toBe(1);
    expect(quantile(new Map(), 0.5)).toBeUndefined();
  });

  it('has shares that add up to one, in order of the bounds', () => {
    expect(shares(buckets)).toEqual([
      [0.1, 0.5],
      [1, 0.4],
      [Number.POSITIVE_INFINITY, 0.1],
    ]);
    expect(shares(new Map([[1, 0]]))).toEqual([[1, 0]]);
  });

  it('fades', () => {
    const faded = fade(buckets, new Map([[0.1, 1]]), 0.5);
    expect(faded.get(0.1)).toBe(26);
    expect(together([buckets, buckets]).get(1)).toBe(180);
  });

  it('has quantiles between its lowest and its highest bound, which never fall', () => {
    const counts = fc.array(fc.nat(1_000), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(counts, (inBucket) => {
        let sum = 0;
        const made = new Map<number, number>();
        for (const [place, count] of inBucket.entries()) {
          sum += count;
          made.set(2 ** place, sum);
        }
        const found = [0.01, 0.25, 0.5, 0.75, 0.95, 1].map((q) => quantile(made, q) ?? 0);
        expect(found).toEqual(found.toSorted((a, b) => a - b));
        expect(found.at(-1)).toBeLessThanOrEqual(2 ** (inBucket.length - 1));
      }),
    );
  });
});
