import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DemotionVerdict } from './demotion.ts';
import { Demotion } from './demotion.ts';

const limits = { lagMs: 3_000, minStayMs: 60_000 };
const slow = { lagMs: 3_000, stayMs: 60_000, connections: 1_000, slowSinceMs: undefined, nowMs: 0 };

const verdictsOf = (demotion: Demotion, count: number, nowMs: number): readonly DemotionVerdict[] =>
  Array.from({ length: count }, () => demotion.judge({ ...slow, nowMs }).verdict);

describe('Demotion', () => {
  it.each([
    ['a client that keeps up', { lagMs: 2_999 }, 'fine'],
    ['a slow one', {}, 'move'],
    ['a slow one that has just come', { stayMs: 59_999 }, 'tooNew'],
    ['the only client', { connections: 1 }, 'move'],
  ] as const)('judges %s', (_who, change, verdict) => {
    expect(new Demotion(limits).judge({ ...slow, ...change }).verdict).toBe(verdict);
  });

  it('moves at most 1 % of the connections a second', () => {
    const demotion = new Demotion(limits);
    expect(verdictsOf(demotion, 12, 0).filter((verdict) => verdict === 'move')).toHaveLength(10);
    expect(verdictsOf(demotion, 1, 50)).toEqual(['tooMany']);
    expect(verdictsOf(demotion, 2, 150)).toEqual(['move', 'tooMany']);
  });

  it('blames nobody where one in twenty turns slow within ten seconds, until that is over', () => {
    const demotion = new Demotion(limits);
    expect(verdictsOf(demotion, 60, 0).slice(50)).toEqual(Array(10).fill('shardIsSlow'));
    expect(verdictsOf(demotion, 1, 9_999)).toEqual(['shardIsSlow']);
    expect(verdictsOf(demotion, 1, 10_000)).toEqual(['move']);
  });

  it('counts a client that stays slow once', () => {
    const demotion = new Demotion(limits);
    let slowSinceMs: number | undefined;
    for (let nowMs = 0; nowMs < 9_000; nowMs += 100) {
      const judged = demotion.judge({ ...slow, connections: 10, slowSinceMs, nowMs });
      expect(judged.verdict).not.toBe('shardIsSlow');
      slowSinceMs = judged.slowSinceMs;
    }
    expect(slowSinceMs).toBe(0);
    expect(demotion.judge({ ...slow, lagMs: 5, slowSinceMs, nowMs: 9_000 }).slowSinceMs).toBeUndefined();
  });

  it('does not judge while the shard itself is late', () => {
    const demotion = new Demotion(limits);
    demotion.tick(251, 1_000);
    expect(verdictsOf(demotion, 1, 10_999)).toEqual(['shardIsSlow']);
    expect(verdictsOf(demotion, 1, 11_000)).toEqual(['move']);
  });

  it('never moves more than its share in any second, whatever comes', () => {
    const pong = fc.record({ afterMs: fc.nat({ max: 400 }), lagMs: fc.nat({ max: 6_000 }) });
    fc.assert(
      fc.property(
        fc.array(pong, { maxLength: 300 }),
        fc.integer({ min: 1, max: 3_000 }),
        (pongs, connections) => {
          const demotion = new Demotion({ ...limits, minStayMs: 0 });
          let nowMs = 0;
          const movedMs: number[] = [];
          for (const { afterMs, lagMs } of pongs) {
            nowMs += afterMs;
            const { verdict } = demotion.judge({ ...slow, lagMs, connections, nowMs });
            if (verdict === 'move') movedMs.push(nowMs);
          }
          const perSecond = Math.max(1, connections * 0.01);
          for (const fromMs of movedMs) {
            const within = movedMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000);
            // A full bucket and what flows in within the second.
            expect(within.length).toBeLessThanOrEqual(2 * perSecond);
          }
        },
      ),
    );
  });
});
