import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawn } from './drawn.ts';

describe('drawn', () => {
  it('has the wanted number of entries, each once, all from the list', () => {
    const randoms = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(fc.nat(60), fc.nat(80), randoms, (size, count, random) => {
        const items = Array.from({ length: size }, (_, i) => i + 1);
        let at = 0;
        const taken = drawn(items, count, () => random[at++ % random.length] ?? 0);
        expect(taken).toHaveLength(Math.min(size, count));
        expect(new Set(taken).size).toBe(taken.length);
        expect(taken.every((one) => items.includes(one))).toBe(true);
        expect(items).toHaveLength(size);
      }),
    );
  });

  it('draws each entry with the same probability', () => {
    const times = new Map<string, number>();
    for (let a = 0; a < 4; a++)
      for (let b = 0; b < 3; b++) {
        const random = [(a + 0.5) / 4, (b + 0.5) / 3];
        for (const one of drawn(['p', 'q', 'r', 's'], 2, () => random.shift() ?? 0))
          times.set(one, (times.get(one) ?? 0) + 1);
      }
    expect([...times.values()]).toEqual([6, 6, 6, 6]);
  });
});
