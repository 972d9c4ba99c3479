import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvenPace, Pace } from './pace.ts';

const dues = (
  options: { speed: number; maxPauseMs: number },
  times: readonly number[],
): readonly number[] => {
  const pace = new Pace(options);
  return times.map((atMs) => pace.due(atMs));
};

describe('Pace', () => {
  it('plays at the given speed, from the first line on', () => {
    expect(dues({ speed: 10, maxPauseMs: 1e9 }, [5_000, 6_000, 6_000, 8_000])).toEqual([0, 100, 100, 300]);
  });

  it('shortens long pauses', () => {
    expect(dues({ speed: 2, maxPauseMs: 50 }, [0, 3_600_000, 3_600_080])).toEqual([0, 50, 90]);
  });

  it('does not wait for times that go back', () => {
    expect(dues({ speed: 1, maxPauseMs: 1_000 }, [100, 40, 60])).toEqual([0, 0, 20]);
  });

  it('waits for nothing at infinite speed', () => {
    expect(dues({ speed: Number.POSITIVE_INFINITY, maxPauseMs: 1_000 }, [0, 1e9, 2e9])).toEqual([0, 0, 0]);
  });

  it('starts another round at once', () => {
    const pace = new Pace({ speed: 1, maxPauseMs: 1_000 });
    expect([pace.due(0), pace.due(10)]).toEqual([0, 10]);
    pace.again();
    expect([pace.due(0), pace.due(10)]).toEqual([10, 20]);
  });

  it('never goes back and never pauses longer than its limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1e9)),
        fc.integer({ min: 1, max: 1_000 }),
        fc.nat(5_000),
        (times, speed, max) => {
          const all = [0, ...dues({ speed, maxPauseMs: max }, times)];
          for (let i = 1; i < all.length; i++) {
            const pause = (all[i] ?? 0) - (all[i - 1] ?? 0);
            expect(pause).toBeGreaterThanOrEqual(0);
            expect(pause).toBeLessThanOrEqual(max + 1e-6 * (all[i] ?? 0));
          }
        },
      ),
    );
  });
});

it('plays the given number of messages a second, over all rounds', () => {
  const pace = new EvenPace(4);
  expect([pace.due(), pace.due(), pace.due()]).toEqual([0, 250, 500]);
  pace.again();
  expect(pace.due()).toBe(750);
});
