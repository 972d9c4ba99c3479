import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { same } from './same.ts';

describe('same', () => {
  it('agrees with a comparison of JSON texts', () => {
    const canonical = (value: unknown): string =>
      JSON.stringify(value, (_, v) =>
        typeof v === 'object' && v !== null && !Array.isArray(v)
          ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
          : v,
      );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        const [x, y] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
        expect(same(x, JSON.parse(JSON.stringify(x)))).toBe(true);
        expect(same(x, y)).toBe(canonical(x) === canonical(y));
      }),
    );
  });
  it('treats names of object members as ordinary keys', () => {
    expect(same(JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}'))).toBe(true);
    expect(same(JSON.parse('{"__proto__":{}}'), JSON.parse('{}'))).toBe(false);
    expect(same(JSON.parse('{"constructor":1}'), JSON.parse('{"toString":1}'))).toBe(false);
    expect(same({}, [])).toBe(false);
  });
  it('does not follow values deeper than any message', () => {
    const deep = (n: number): unknown => JSON.parse('['.repeat(n) + ']'.repeat(n));
    expect(same(deep(60), deep(60))).toBe(true);
    expect(same(deep(3_000), deep(3_000))).toBe(false);
  });
});
