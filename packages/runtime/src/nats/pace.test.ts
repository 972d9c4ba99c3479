import { describe, expect, it } from 'vitest';
import { clockSetBack, reconnectWait, reconnectWaitMs } from './pace.ts';

describe('pace', () => {
  it('waits between a quarter of a second and two', () => {
    expect(reconnectWaitMs(() => 0)).toBe(reconnectWait.minMs);
    expect(reconnectWaitMs(() => 0.999_999)).toBe(reconnectWait.maxMs);
  });

  it('notices each step back of the wall clock once, and nothing else', () => {
    const time = { wall: 1_000_000, monotonic: 0 };
    const setBack = clockSetBack({ monotonicMs: () => time.monotonic, wallMs: () => time.wall });
    const pass = (wallMs: number, monotonicMs = wallMs): boolean => {
      time.wall += wallMs;
      time.monotonic += monotonicMs;
      return setBack();
    };
    expect([pass(0), pass(5_000), pass(3_600_000, 10), pass(-10, 0)]).toEqual([false, false, false, false]);
    expect([pass(-3_600_000, 10), pass(1_000), pass(-200, 0), pass(10)]).toEqual([true, false, true, false]);
  });
});
