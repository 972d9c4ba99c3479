import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Flow, FlowLimits } from './policy.ts';
import { isStuck, nextFlow } from './policy.ts';

const limits: FlowLimits = { softBytes: 1_000, hardBytes: 4_000, windowBytes: 16_000, lagMs: 10_000 };

describe('nextFlow', () => {
  it.each([
    ['flowing', 0, false, 'flowing'],
    ['flowing', 1_000, false, 'flowing'],
    ['flowing', 1_001, false, 'congested'],
    ['flowing', 4_001, false, 'congested'],
    ['flowing', 0, true, 'evicted'],
    ['congested', 501, false, 'congested'],
    ['congested', 500, false, 'flowing'],
    ['congested', 1_001, false, 'congested'],
    ['congested', 501, true, 'evicted'],
    ['evicted', 0, false, 'evicted'],
  ] as const)('%s with %d bytes unproven, stuck %s: %s', (flow, bytes, stuck, next) => {
    expect(nextFlow(flow, limits, bytes, stuck)).toBe(next);
  });

  it('evicts clients that do not read and no others, permanently', () => {
    const flow = fc.constantFrom<Flow>('flowing', 'congested', 'evicted');
    fc.assert(
      fc.property(flow, fc.nat(10_000), fc.boolean(), (from, bytes, stuck) => {
        const next = nextFlow(from, limits, bytes, stuck);
        expect(next === 'evicted').toBe(from === 'evicted' || stuck);
        // Deciding twice changes nothing more.
        expect(nextFlow(next, limits, bytes, stuck)).toBe(next);
      }),
    );
  });

  it('does not flap between the bounds', () => {
    let changes = 0;
    let flow: Flow = 'flowing';
    for (let i = 0; i < 100; i++) {
      const next = nextFlow(flow, limits, i % 2 === 0 ? 1_001 : 700, false);
      if (next !== flow) changes++;
      flow = next;
    }
    expect(changes).toBe(1);
  });
});

describe('isStuck', () => {
  it.each([
    [false, 9_999, false],
    [false, 10_000, true],
    [true, 4_999, false],
    [true, 5_000, true],
  ] as const)('with messages that wait for room %s, nothing proven for %d ms: %s', (full, ms, stuck) => {
    expect(isStuck(full, ms, limits)).toBe(stuck);
  });
});
