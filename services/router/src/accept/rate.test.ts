import { describe, expect, it } from 'vitest';
import { createRateLimit } from './rate.ts';

function limit(o: { perSecond?: number; burst?: number; maxNetworks?: number } = {}) {
  const time = { ms: 0 };
  const rate = createRateLimit({
    perSecond: o.perSecond ?? 2,
    burst: o.burst ?? 3,
    maxNetworks: o.maxNetworks ?? 100,
    clock: { monotonicMs: () => time.ms },
  });
  return { rate, time, take: (network: string) => rate.take(network).ok };
}

describe('the rate limit', () => {
  it('lets a burst through and then as many a second as configured', () => {
    const { take, time } = limit();
    expect([take('a'), take('a'), take('a'), take('a')]).toEqual([true, true, true, false]);
    time.ms += 500;
    expect([take('a'), take('a')]).toEqual([true, false]);
  });

  it('holds a network whose clients flood, and for no longer than twice its burst takes', () => {
    const { rate, take, time } = limit();
    expect(take('a')).toBe(true);
    rate.charge('a', 4);
    expect([take('a'), take('b')]).toEqual([false, true]);
    time.ms += 1_500;
    expect([take('a'), take('a')]).toEqual([true, false]);
    for (let i = 0; i < 100; i++) rate.charge('a', 4);
    expect(rate.take('a')).toEqual({ ok: false, waitS: 2 });
    time.ms += 2_000;
    expect(take('a')).toBe(true);
  });

  it('keeps networks apart', () => {
    const { take } = limit({ burst: 1 });
    expect([take('a'), take('a'), take('b')]).toEqual([true, false, true]);
  });

  it('says how long to wait, in whole seconds', () => {
    const { rate } = limit({ burst: 1, perSecond: 0.1 });
    rate.take('a');
    expect(rate.take('a')).toEqual({ ok: false, waitS: 10 });
  });

  it('never saves up more than the burst, and a refused attempt costs nothing', () => {
    const { take, time } = limit({ burst: 2 });
    time.ms += 3_600_000;
    expect([take('a'), take('a'), take('a'), take('a')]).toEqual([true, true, false, false]);
    time.ms += 500;
    expect(take('a')).toBe(true);
  });

  it('remembers a bounded number of networks, the busy ones longest', () => {
    const { take, rate } = limit({ burst: 1, perSecond: 0.01, maxNetworks: 10 });
    take('busy');
    for (let i = 0; i < 1_000; i++) {
      take(`n${i}`);
      expect(take('busy')).toBe(false);
      expect(rate.size).toBeLessThanOrEqual(10);
    }
  });
});
