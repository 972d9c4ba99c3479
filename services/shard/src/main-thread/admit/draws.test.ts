import { describe, expect, it } from 'vitest';
import { Draws } from './draws.ts';

const make = (maxNetworks = 100): Draws =>
  new Draws({ networkDrawBytesPerSecond: 100, networkDrawBurstBytes: 1_000, maxNetworks });

describe('Draws', () => {
  it('lets a network draw its burst, then as much as it has earned', () => {
    const draws = make();
    draws.charge('n', 1_200, 0);
    expect([draws.mayDraw('n', 0), draws.mayDraw('n', 2_000), draws.mayDraw('n', 2_001)]).toEqual([
      false,
      false,
      true,
    ]);
    draws.charge('n', 1, 3_600_000);
    draws.charge('n', 998, 3_600_000);
    expect(draws.mayDraw('n', 3_600_000)).toBe(true);
    draws.charge('n', 1, 3_600_000);
    expect(draws.mayDraw('n', 3_600_000)).toBe(false);
  });

  it('lets a network with room draw more than its room: a snapshot may be larger than the burst', () => {
    const draws = make();
    expect(draws.mayDraw('n', 0)).toBe(true);
    draws.charge('n', 5_000, 0);
    expect([draws.mayDraw('n', 40_000), draws.mayDraw('n', 40_001)]).toEqual([false, true]);
  });

  it('keeps networks apart, and remembers a limited number of them', () => {
    const draws = make(10);
    for (let i = 0; i < 1_000; i++) {
      draws.charge(`n${i}`, 2_000, 0);
      expect(draws.mayDraw(`n${i}`, 0)).toBe(false);
      expect(draws.mayDraw(`n${i + 1}`, 0)).toBe(true);
      expect(draws.networks).toBeLessThanOrEqual(10);
    }
    // The last ones at least.
    expect([999, 998, 997].map((i) => draws.mayDraw(`n${i}`, 0))).toEqual([false, false, false]);
  });
});
