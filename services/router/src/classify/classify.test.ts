// Which pool: measurement, hint and wish together.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../probe/probe.ts';
import { type ClassifyInput, classify } from './classify.ts';

const pools = ['mobile', 'desktop'];
const thresholds = { kbps: 2_000, rttMs: 270 };
const cost = { bytes: 11_000, tookMs: 50, trains: 1 };
const fast = (kbps: number, rttMs = 30): ProbeResult => ({
  ...cost,
  outcome: 'measured',
  class: 'fast',
  confidence: 'high',
  kbps,
  rttMs,
});
const slow = (kbps: number | undefined, rttMs: number | undefined = 30): ProbeResult => ({
  ...cost,
  outcome: rttMs === undefined ? 'silent' : 'measured',
  class: 'slow',
  confidence: 'medium',
  ...(kbps === undefined ? {} : { kbps }),
  ...(rttMs === undefined ? {} : { rttMs }),
});
const pool = (input: Partial<ClassifyInput>): string =>
  classify({ probe: undefined, pools, thresholds, ...input }).pool;

describe('classify', () => {
  it('follows the probe where there is nothing else', () => {
    expect(classify({ probe: fast(9000), pools, thresholds })).toEqual({
      pool: 'desktop',
      confidence: 'high',
    });
    expect(classify({ probe: slow(400), pools, thresholds })).toEqual({
      pool: 'mobile',
      confidence: 'medium',
    });
  });
  it('follows the hint where there is no probe', () => {
    expect(pool({ hintPool: 'desktop' })).toBe('desktop');
    expect(pool({ hintPool: 'mobile' })).toBe('mobile');
  });
  it('takes the slowest without either', () => {
    expect(classify({ probe: undefined, pools, thresholds })).toEqual({
      pool: 'mobile',
      confidence: 'low',
    });
  });
  it('lets a client ask for a slower pool, never for a faster one', () => {
    expect(pool({ probe: fast(9000), ceiling: 'mobile' })).toBe('mobile');
    expect(pool({ probe: slow(400), ceiling: 'desktop' })).toBe('mobile');
    expect(pool({ probe: fast(9000), ceiling: 'nonsense' })).toBe('desktop');
    expect(pool({ hintPool: 'mobile', ceiling: 'desktop' })).toBe('mobile');
  });
  it('ignores a hint for a pool that is no more', () => {
    expect(pool({ probe: fast(9000), hintPool: 'tablet' })).toBe('desktop');
    expect(pool({ hintPool: 'tablet' })).toBe('mobile');
  });

  it.each([
    // the pool it comes from, what was measured, where it goes
    ['mobile', fast(2400), 'mobile'],
    ['mobile', fast(2600), 'desktop'],
    ['mobile', fast(9000, 230), 'mobile'],
    ['mobile', { ...fast(9000), confidence: 'low' as const }, 'mobile'], // fast, but nobody would bet on it
    ['desktop', slow(1700), 'desktop'],
    ['desktop', slow(1500), 'mobile'],
    ['desktop', slow(undefined, 300), 'desktop'],
    ['desktop', slow(undefined, 350), 'mobile'],
    ['desktop', slow(1700, 350), 'mobile'],
    ['desktop', slow(undefined, 40), 'mobile'], // a rate that nothing confirmed
    ['desktop', slow(undefined, undefined), 'mobile'], // silent
    ['desktop', { ...slow(undefined, 40), outcome: 'noBudget' as const }, 'desktop'],
    ['desktop', { ...slow(undefined, 400), outcome: 'noBudget' as const }, 'mobile'],
  ])('from %s with %o to %s', (hintPool, probe, to) => {
    expect(pool({ hintPool, probe })).toBe(to);
  });

  it('keeps the same distance from other thresholds', () => {
    const far = { kbps: 4_000, rttMs: 540 };
    const to = (hintPool: string, probe: ProbeResult): string => pool({ hintPool, probe, thresholds: far });
    expect([to('mobile', fast(4_900)), to('mobile', fast(5_100))]).toEqual(['mobile', 'desktop']);
    expect([to('mobile', fast(9_000, 450)), to('mobile', fast(9_000, 430))]).toEqual(['mobile', 'desktop']);
    expect([to('desktop', slow(3_100)), to('desktop', slow(3_300))]).toEqual(['mobile', 'desktop']);
    expect([to('desktop', slow(undefined, 690)), to('desktop', slow(undefined, 670))]).toEqual([
      'mobile',
      'desktop',
    ]);
  });

  it('uses a pool in the middle for those that ask or come from there', () => {
    const three = ['phone', 'tablet', 'desktop'];
    expect(pool({ probe: fast(9000), pools: three })).toBe('desktop');
    expect(pool({ probe: slow(100), pools: three })).toBe('phone');
    expect(pool({ probe: fast(9000), ceiling: 'tablet', pools: three })).toBe('tablet');
    expect(pool({ probe: fast(2400), hintPool: 'tablet', pools: three })).toBe('tablet');
    expect(pool({ probe: slow(1700), hintPool: 'tablet', pools: three })).toBe('tablet');
    expect(pool({ probe: slow(1000), hintPool: 'tablet', pools: three })).toBe('phone');
  });
  it('needs a pool', () => expect(() => pool({ pools: [] })).toThrow(RangeError));

  const anyProbe = fc.option(
    fc.record({
      outcome: fc.constantFrom<ProbeResult['outcome'][]>(
        'measured',
        'silent',
        'closed',
        'closedOnPad',
        'noBudget',
      ),
      class: fc.constantFrom<('fast' | 'slow')[]>('fast', 'slow'),
      confidence: fc.constantFrom<('high' | 'low')[]>('high', 'low'),
      kbps: fc.double({ min: 0, max: 1e6, noNaN: true }),
      rttMs: fc.double({ min: 0, max: 3000, noNaN: true }),
    }),
    { nil: undefined },
  );
  it('nothing that a client says ever moves it to a faster pool', () => {
    const three = ['phone', 'tablet', 'desktop'];
    const anyName = fc.option(fc.constantFrom('phone', 'tablet', 'desktop', 'nonsense', ''), {
      nil: undefined,
    });
    fc.assert(
      fc.property(anyProbe, anyName, anyName, (found, hint, wish) => {
        const probe = found === undefined ? undefined : { ...cost, ...found };
        const hinted = hint === undefined ? {} : { hintPool: hint };
        const silent = pool({ probe, ...hinted, pools: three });
        const spoken = pool({
          probe,
          ...hinted,
          ...(wish === undefined ? {} : { ceiling: wish }),
          pools: three,
        });
        expect(three.indexOf(spoken)).toBeLessThanOrEqual(three.indexOf(silent));
      }),
    );
  });
});
