import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

function start(options: { messages?: number; bytes?: number; maxPublishers?: number } = {}) {
  const clock = { nowMs: 0 };
  const { messages = 10, bytes = 1_000, maxPublishers = 3 } = options;
  const limit = new RateLimit({
    perSecond: { messages, bytes },
    maxPublishers,
    clock: { monotonicMs: () => clock.nowMs, wallMs: () => 0 },
  });
  return { limit, clock };
}

describe('RateLimit', () => {
  it("accepts one second's worth of messages at once, then says how long to wait", () => {
    const { limit, clock } = start();
    expect(limit.take('a', { messages: 10, bytes: 0 })).toBe(0);
    expect(limit.take('a', { messages: 1, bytes: 0 })).toBe(100);
    clock.nowMs += 100;
    expect(limit.take('a', { messages: 1, bytes: 0 })).toBe(0);
  });

  it('counts bytes as well', () => {
    const { limit, clock } = start();
    expect(limit.take('a', { messages: 1, bytes: 3_000 })).toBe(0);
    expect(limit.waitMs('a')).toBeGreaterThan(2_000);
    clock.nowMs += 2_001;
    expect(limit.waitMs('a')).toBe(0);
  });

  it('limits publishers separately', () => {
    const { limit } = start();
    limit.take('a', { messages: 100, bytes: 0 });
    expect(limit.waitMs('a')).toBeGreaterThan(0);
    expect(limit.take('b', { messages: 1, bytes: 0 })).toBe(0);
  });

  it('remembers the most recent publishers, up to its limit', () => {
    const { limit } = start();
    limit.take('a', { messages: 100, bytes: 0 });
    for (const who of ['b', 'c']) limit.take(who, { messages: 1, bytes: 0 });
    limit.waitMs('a');
    limit.take('d', { messages: 1, bytes: 0 });
    expect(limit.publishers).toBe(3);
    expect(limit.waitMs('a')).toBeGreaterThan(0);
  });

  it('keeps the mean rate, whatever the batches', () => {
    const batch = fc.record({ messages: fc.integer({ min: 1, max: 40 }), afterMs: fc.nat(500) });
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 60 }), (batches) => {
        const { limit, clock } = start({ bytes: 1e9 });
        let taken = 0;
        for (const { messages, afterMs } of batches) {
          clock.nowMs += afterMs;
          if (limit.take('a', { messages, bytes: 1 }) === 0) taken += messages;
        }
        // A bucket of 10, 10 a second, and the last batch may go into debt.
        expect(taken).toBeLessThanOrEqual(10 + clock.nowMs / 100 + 40);
      }),
    );
  });
});
