import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Flow, FlowLimits } from './policy.ts';
import { nextFlow } from './policy.ts';

const limits: FlowLimits = { softBytes: 1_000, hardBytes: 4_000, lagMs: 10_000 };

describe('nextFlow', () => {
  it.each([
    ['flowing', 0, 0, 'flowing'],
    ['flowing', 1_000, 0, 'flowing'],
    ['flowing', 1_001, 0, 'congested'],
    ['flowing', 4_000, 0, 'congested'],
    ['flowing', 4_001, 0, 'evicted'],
    ['flowing', 0, 9_999, 'flowing'],
    ['flowing', 0, 10_000, 'evicted'],
    ['congested', 501, 0, 'congested'],
    ['congested', 500, 0, 'flowing'],
    ['congested', 1_001, 0, 'congested'],
    ['congested', 4_001, 0, 'evicted'],
    ['congested', 501, 10_000, 'evicted'],
    ['evicted', 0, 0, 'evicted'],
  ] as const)('%s with %d bytes unproven for %d ms: %s', (flow, bytes, ms, next) => {
    expect(nextFlow(flow, limits, bytes, ms)).toBe(next);
  });

  it('never lets a backlog above the hard limit stay, and never forgives an eviction', () => {
    const flow = fc.constantFrom<Flow>('flowing', 'congested', 'evicted');
    fc.assert(
      fc.property(flow, fc.nat(10_000), fc.nat(20_000), (from, bytes, ms) => {
        const next = nextFlow(from, limits, bytes, ms);
        if (from === 'evicted' || bytes > limits.hardBytes || ms >= limits.lagMs)
          expect(next).toBe('evicted');
        else expect(next).not.toBe('evicted');
        // Deciding twice changes nothing more.
        expect(nextFlow(next, limits, bytes, ms)).toBe(next);
      }),
    );
  });

  it('does not flap between the bounds', () => {
    let changes = 0;
    let flow: Flow = 'flowing';
    for (let i = 0; i < 100; i++) {
      const next = nextFlow(flow, limits, i % 2 === 0 ? 1_001 : 700, 0);
      if (next !== flow) changes++;
      flow = next;
    }
    expect(changes).toBe(1);
  });
});
