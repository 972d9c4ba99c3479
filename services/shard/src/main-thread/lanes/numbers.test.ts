import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Numbers } from './numbers.ts';

it('Numbers are found where they stand, and nothing else is, however many there are', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(), { maxLength: 50 }), fc.boolean(), (some, many) => {
      const rising = some.toSorted((a, b) => a - b);
      const all = many ? [...rising, ...Array.from({ length: 3_000 }, (_, i) => 2 ** 31 + i)] : rising;
      const numbers = new Numbers();
      for (const one of all) numbers.push(one);
      numbers.trim();
      expect(numbers.last).toBe(all.at(-1) ?? 0);
      expect(all.map((one) => numbers.indexOf(one))).toEqual(all.map((_, i) => i));
      expect([-1, 0.5, 2 ** 40].map((one) => numbers.indexOf(one))).toEqual([-1, -1, -1]);
      expect(numbers.at(all.length)).toBe(0);
    }),
  );
});
