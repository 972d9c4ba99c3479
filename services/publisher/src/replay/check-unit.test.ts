import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Unit } from './check-unit.ts';
import { msPerUnit, UnitCheck, units } from './check-unit.ts';

/** 2024-11-29. */
const dateMs = 1_732_900_000_000;

/** The verdicts on times that are read in a unit. */
function said(times: readonly number[], unit: Unit, stated = false): readonly string[] {
  const check = new UnitCheck({ unit, stated });
  const doubts = [...times.map((t) => check.look(t)), check.end()];
  return doubts.flatMap((doubt) => (doubt === undefined ? [] : Object.entries(doubt).flat()));
}

const every = (ms: number, count: number, { from = 0, unit }: { from?: number; unit: Unit }) =>
  Array.from({ length: count }, (_, i) => (from + i * ms) / msPerUnit[unit]);

describe('UnitCheck', () => {
  it.each(units)('accepts times in %s, since 1970 or since the start', (unit) => {
    for (const from of [0, dateMs]) {
      expect(said(every(250, 200, { from, unit }), unit, true)).toEqual([]);
      if (unit === 'ms') expect(said(every(250, 200, { from, unit }), unit)).toEqual([]);
    }
  });

  it.each([
    ['s', 'seconds'],
    ['us', 'microseconds'],
    ['ns', 'nanoseconds'],
  ] as const)('refuses times since 1970 in %s where nobody said so', (unit, name) => {
    const [kind, text] = said([dateMs / msPerUnit[unit]], 'ms');
    expect(kind).toBe('refusal');
    expect(text).toContain(`looks like ${name} since 1970 (2024-11-29), not like milliseconds`);
    expect(text).toContain(`say --unit ${unit}, or --unit ms`);
  });

  it('only warns if the unit was stated', () => {
    expect(said([dateMs], 's', true)).toEqual(['warning', expect.stringContaining('--unit s says')]);
    expect(said([dateMs / 1_000], 'ms', true)).toEqual(['warning', expect.stringContaining('seconds')]);
  });

  it('accepts a late first time in a fine unit', () => {
    // 1.7 s after the start, and a number as large as seconds since 1970.
    expect(said([1_700_000_000], 'ns', true)).toEqual([]);
  });

  it.each([
    ['s', 40, 1],
    ['us', 100, 100],
    ['ns', 5, 100],
  ] as const)('warns once of times since the beginning in %s', (unit, everyMs, count) => {
    const doubts = said(every(everyMs, Math.max(count, 100), { unit }), 'ms');
    expect(doubts).toEqual(['warning', expect.stringContaining(`--unit ${unit}`)]);
  });

  it('warns of long pauses after ten lines, not at the end of a long recording', () => {
    const check = new UnitCheck({ unit: 'ms', stated: false });
    const doubts = every(100, 10, { unit: 'ns' }).map((t) => check.look(t));
    expect(doubts.at(-1)).toHaveProperty('warning');
  });

  it('accepts a burst at the start', () => {
    const times = [...every(0.01, 500, { unit: 'ms' }), ...every(250, 200, { from: 100, unit: 'ms' })];
    expect(said(times, 'ms')).toEqual([]);
  });

  it('returns at most one verdict, and never fails', () => {
    const time = fc.oneof(fc.nat(1e6), fc.double({ min: 0, max: 1e21, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(time, { maxLength: 300 }),
        fc.constantFrom(...units),
        fc.boolean(),
        (times, unit, stated) => {
          expect(said(times, unit, stated).length).toBeLessThanOrEqual(2);
        },
      ),
    );
  });
});
