import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../probe/probe.ts';
import type { Known } from './finding.ts';
import { findingFor } from './finding.ts';

const cost = { bytes: 11_000, tookMs: 50, trains: 1 };
const probe: ProbeResult = {
  outcome: 'measured',
  class: 'fast',
  confidence: 'medium',
  kbps: 3_000,
  rttMs: 40,
  ...cost,
};
const thresholds = { kbps: 2_000, rttMs: 270 };
const known: Known = {
  probe,
  hint: undefined,
  pool: 'desktop',
  confidence: 'medium',
  ceiling: undefined,
  pools: ['mobile', 'desktop'],
  thresholds,
};

describe('the finding in a ticket', () => {
  it('contains the measurement and its class', () => {
    const finding = { class: 'fast', confidence: 'medium', rttMs: 40, kbps: 3_000, thresholds };
    expect(findingFor(known)).toEqual(finding);
  });

  it('is the class of the pool if a hint keeps the client there', () => {
    expect(findingFor({ ...known, pool: 'mobile', confidence: 'low' })).toMatchObject({ class: 'slow' });
    const hint = { id: 'h', pool: 'mobile', allow: [], rttMs: 9, kbps: 900 };
    const byHint = findingFor({ ...known, probe: undefined, hint, pool: 'mobile' });
    expect(byHint).toMatchObject({ class: 'slow', rttMs: 9, kbps: 900 });
  });

  it('is missing if there is only one pool', () => {
    expect(findingFor({ ...known, pools: ['only'], pool: 'only' })).toBeUndefined();
    expect(findingFor({ ...known, ceiling: 'mobile' })).toBeUndefined();
  });
});
