import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsedOnce } from './used-once.ts';

describe('UsedOnce', () => {
  it('accepts a ticket once', () => {
    const used = new UsedOnce(10);
    expect(used.use('a', 0, 60_000)).toBe('first');
    expect(used.use('a', 59_999, 1)).toBe('again');
    expect(used.use('b', 59_999, 60_000)).toBe('first');
  });

  it('forgets expired tickets: the caller refuses those before it asks', () => {
    const used = new UsedOnce(10);
    used.use('a', 0, 1_000);
    used.use('b', 0, 2_000);
    used.use('c', 1_000, 2_000);
    expect(used.size).toBe(2);
    used.use('d', 3_000, 1_000);
    expect(used.size).toBe(1);
  });

  it('accepts no ticket that it could not remember, and forgets none to make room', () => {
    const used = new UsedOnce(2);
    used.use('a', 0, 1_000);
    used.use('b', 0, 1_000);
    expect(used.use('c', 0, 1_000)).toBe('full');
    expect(used.use('a', 0, 1_000)).toBe('again');
    expect(used.use('c', 1_000, 1_000)).toBe('first');
  });

  it('reuses the room of expired tickets, also behind one with a longer life', () => {
    const used = new UsedOnce(3);
    used.use('long', 0, 60_000);
    used.use('a', 0, 1_000);
    used.use('b', 0, 1_000);
    expect(used.use('c', 500, 1_000)).toBe('full');
    expect(used.use('c', 1_500, 1_000)).toBe('first');
    expect([used.use('long', 1_500, 1_000), used.size]).toEqual(['again', 2]);
  });

  it('accepts no ticket twice before it expires, and remembers no more than its limit', () => {
    const step = fc.record({
      id: fc.nat(12),
      afterMs: fc.nat(400),
      lifeMs: fc.integer({ min: 1, max: 1_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.integer({ min: 1, max: 8 }), (steps, max) => {
        const used = new UsedOnce(max);
        const until = new Map<string, number>();
        let nowMs = 0;
        for (const { id, afterMs, lifeMs } of steps) {
          nowMs += afterMs;
          const name = `t${id}`;
          const verdict = used.use(name, nowMs, lifeMs);
          if ((until.get(name) ?? 0) > nowMs) expect(verdict).not.toBe('first');
          if (verdict === 'first') until.set(name, nowMs + lifeMs);
          expect(used.size).toBeLessThanOrEqual(max);
        }
      }),
    );
  });
});
