import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import { decodeFinding, encodeFinding } from './finding.ts';

const thresholds = { kbps: 2_000, rttMs: 270 };

describe('a finding', () => {
  it.each([
    [{ class: 'fast', confidence: 'high', rttMs: 62.4, kbps: 3_400.2, thresholds }, 'fh-62-3400-270-2000'],
    [{ class: 'slow', confidence: 'low', thresholds }, 'sl---270-2000'],
    [{ class: 'slow', confidence: 'medium', rttMs: 500, thresholds }, 'sm-500--270-2000'],
    [{ class: 'fast', confidence: 'high', rttMs: -1, kbps: 1e12, thresholds }, 'fh-0-9999999-270-2000'],
  ] as const)('%o is written as %s', (finding, text) => {
    expect(encodeFinding(finding)).toBe(text);
  });

  it('comes back in whole numbers', () => {
    const number = fc.integer({ min: 1, max: 9_999_999 });
    const findings = fc.record(
      {
        class: fc.constantFrom<Finding['class'][]>('fast', 'slow'),
        confidence: fc.constantFrom<Finding['confidence'][]>('high', 'medium', 'low'),
        rttMs: number,
        kbps: number,
        thresholds: fc.record({ kbps: number, rttMs: number }),
      },
      { requiredKeys: ['class', 'confidence', 'thresholds'] },
    );
    fc.assert(
      fc.property(findings, (finding) => {
        expect(decodeFinding(encodeFinding(finding))).toEqual(finding);
      }),
    );
  });

  it.each([
    undefined,
    null,
    5,
    '',
    'fh',
    'xh-1-1-1-1',
    'fx-1-1-1-1',
    'fh-1-1-0-1',
    'fh-1-1-1',
    'fh--1-1-1-1',
    ['fh-1-1-1-1'],
  ])('is none where a claim says %j', (claim) => expect(decodeFinding(claim)).toBeUndefined());
});
