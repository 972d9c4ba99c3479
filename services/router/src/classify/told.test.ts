// What a shard's second look is worth to the router: only what is certain counts, within the router's own bounds.
import type { Finding } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from './classify.ts';
import { toldBy } from './told.ts';

const thresholds = { kbps: 2_000, rttMs: 270 };
const pools = ['mobile', 'desktop'];
const fast: Finding = { class: 'fast', confidence: 'high', rttMs: 60, kbps: 2_600, thresholds };
const slow: Finding = { class: 'slow', confidence: 'high', rttMs: 60, kbps: 1_300, thresholds };

/** The pool of a client that its shard moves with this finding; undefined if the router measures it. */
function poolOf(hintPool: string, finding: Finding | undefined): string | undefined {
  const probe = toldBy({ measure: true, ...(finding === undefined ? {} : { finding }) });
  return probe === undefined ? undefined : classify({ probe, hintPool, pools, thresholds }).pool;
}

describe('a finding of a shard', () => {
  it.each([
    ['mobile', fast, 'desktop'],
    ['mobile', { ...fast, kbps: 2_010 }, 'desktop'],
    ['mobile', { ...fast, kbps: 1_990 }, 'mobile'],
    ['mobile', { ...fast, rttMs: 221 }, 'mobile'],
    ['mobile', slow, 'mobile'],
    ['desktop', slow, 'mobile'],
    ['desktop', { ...slow, kbps: 1_990 }, 'mobile'],
    ['desktop', { ...slow, kbps: 2_010 }, 'desktop'],
    ['desktop', { class: 'slow', confidence: 'high', rttMs: 350, thresholds }, 'mobile'],
    ['desktop', fast, 'desktop'],
  ] as const)('from %s with %o leads to %s', (from, finding, to) => {
    expect(poolOf(from, finding)).toBe(to);
  });

  it.each([
    undefined,
    { ...fast, confidence: 'medium' },
    { ...fast, confidence: 'low' },
    { class: 'fast', confidence: 'high', rttMs: 60, thresholds },
    { class: 'slow', confidence: 'high', kbps: 900, thresholds },
  ] as const)('%o is not believed: the router measures', (finding) => {
    expect(poolOf('mobile', finding)).toBeUndefined();
  });

  it('counts only where the hint asks for a measurement', () => {
    expect(toldBy({ finding: fast })).toBeUndefined();
    expect(toldBy(undefined)).toBeUndefined();
  });

  it('never makes a client fast below the thresholds of this router', () => {
    const any = fc.record({ rttMs: fc.nat({ max: 3_000 }), kbps: fc.nat({ max: 100_000 }) });
    fc.assert(
      fc.property(any, fc.constantFrom('mobile', 'desktop'), (numbers, from) => {
        if (from === 'desktop') return;
        const to = poolOf(from, { ...fast, ...numbers });
        if (to === 'desktop') expect(numbers.kbps >= 2_000 && numbers.rttMs <= 220).toBe(true);
      }),
    );
  });
});
