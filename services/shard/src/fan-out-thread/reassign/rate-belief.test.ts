// What trains say of a rate: each adds, noise never proves a fast link, and a lost segment never a slow one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Train } from './rate-belief.ts';
import { RateBelief } from './rate-belief.ts';

const T = 2_000;
const train = (kbps: number, change: Partial<Train> = {}): Train => {
  const bytes = change.bytes ?? 10_922;
  return {
    bytes,
    spreadMs: (8 * bytes * 1.04) / kbps,
    noiseMs: 0,
    senderKbps: 1e9,
    isFirst: false,
    ...change,
  };
};
const after = (...trains: readonly Train[]): RateBelief => {
  const belief = new RateBelief(T);
  for (const each of trains) belief.add(each);
  return belief;
};

describe('a belief in a rate', () => {
  it('knows nothing at first', () => {
    expect(after().odds).toBeCloseTo(0, 6);
    expect(after().kbps).toBeCloseTo(T, 6);
  });

  it.each([
    ['well above', 8_000, true],
    ['a quarter above', 2_550, true],
    ['a quarter below', 1_450, false],
    ['well below', 300, false],
  ])('a train at a rate %s the threshold says so', (_where, kbps, isFast) => {
    expect(after(train(kbps)).odds > 0).toBe(isFast);
  });

  it.each([3_000, 2_000, 1_000])('is near the rate of quiet trains of %d kbit/s', (kbps) => {
    const belief = after(train(kbps), train(kbps, { bytes: 21_971 }), train(kbps, { bytes: 21_971 }));
    expect(belief.kbps / kbps).toBeGreaterThan(0.8);
    expect(belief.kbps / kbps).toBeLessThan(1.25);
  });

  it('does not call a link slow after one late train, which a lost segment explains', () => {
    expect(after(train(3_000, { spreadMs: 400 })).odds).toBeGreaterThan(-4.6);
    const two = after(train(3_000, { spreadMs: 400 }), train(3_000, { bytes: 21_971 }));
    expect(two.odds).toBeGreaterThan(0);
  });

  it('hardly counts a first train that is late: the sender has only begun', () => {
    expect(after(train(300, { isFirst: true })).odds).toBeGreaterThan(-1.5);
    expect(after(train(8_000, { isFirst: true })).odds).toBeGreaterThan(5);
  });

  it('does not call a link slow because of a slower sender', () => {
    const paced = train(1_500, { senderKbps: 1_500 });
    expect(after(paced, paced, paced).odds).toBeGreaterThan(-1);
  });

  it('excludes all rates below a proven one', () => {
    const belief = after(train(1_000));
    belief.atLeast(2_600);
    expect(belief.odds).toBeGreaterThan(6.9);
  });

  it('becomes weaker with time, and keeps its side', () => {
    const belief = after(train(8_000), train(8_000));
    belief.fade(3);
    expect(belief.odds).toBeGreaterThan(0);
    expect(belief.odds).toBeLessThanOrEqual(4);
    const before = belief.odds;
    belief.fade(100);
    expect(belief.odds).toBe(before);
  });

  const trains = fc.array(
    fc.record({
      bytes: fc.constantFrom(1_905, 10_922, 21_971),
      spreadMs: fc.double({ min: 0.5, max: 5_000, noNaN: true }),
      noiseMs: fc.double({ min: 0, max: 150, noNaN: true }),
      senderKbps: fc.double({ min: 500, max: 1e6, noNaN: true }),
      isFirst: fc.boolean(),
    }),
    { maxLength: 12 },
  );

  it('does not depend on the order of the trains', () => {
    fc.assert(
      fc.property(trains, (all) => {
        expect(after(...all).odds).toBeCloseTo(after(...all.toReversed()).odds, 2);
      }),
    );
  });

  it('trains that are later than seven tenths of the threshold allow prove no fast link', () => {
    fc.assert(
      fc.property(trains, fc.double({ min: 0, max: 500, noNaN: true }), (all, laterMs) => {
        const late = all.map((one) => ({
          ...one,
          spreadMs: (8.32 * one.bytes) / (0.7 * T) + one.noiseMs + laterMs,
        }));
        expect(after(...late).odds).toBeLessThan(3);
      }),
    );
  });

  it('stays a number', () => {
    fc.assert(
      fc.property(trains, fc.nat({ max: 1e6 }), (all, kbps) => {
        const belief = after(...all);
        belief.atLeast(kbps);
        belief.fade(3);
        expect(Number.isFinite(belief.odds)).toBe(true);
        expect(belief.kbps).toBeGreaterThan(0);
      }),
    );
  });
});
