import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsOf, membersOf, trimmed } from './raw-json.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const texts = (cut: readonly Buffer[] | undefined): readonly string[] | undefined =>
  cut?.map((part) => part.toString());

/** JSON as people and programs write it: white space anywhere, numbers in odd forms. */
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const scalar = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '1E2', '1e-7', '17843232920108168701', 'true', 'false', 'null', '""'),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\""', '"\\\\"', '"]"', '"}{,:"', '"\\u005d"', '"é😀"'),
);
/**
 * No name ends in a backslash: the JSON.parse of Node 24 takes an escape for such a name where it has seen that one in the
 * same place before. It is the oracle here, and not what is tested.
 */
const name = scalar.filter((text) => text.startsWith('"') && !String(JSON.parse(text)).endsWith('\\'));
const { value: rawValue } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, name, space, space, tie('value'), space), {
        maxLength: 4,
      })
      .map((items) => `{${items.map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`).join(',')}}`),
  ),
}));

describe('elementsOf', () => {
  it('cuts elements byte for byte', () => {
    const cut = elementsOf(bytes(' [ 1.0 , -0,"],[" ,[1, [2]] ,{"a" : [ ]}, 1E2\n] '), 10);
    expect(texts(cut)).toEqual(['1.0', '-0', '"],["', '[1, [2]]', '{"a" : [ ]}', '1E2']);
  });

  it('recognises an empty array, and text that is not an array', () => {
    expect(elementsOf(bytes('[ ]'), 10)).toEqual([]);
    expect(elementsOf(bytes('{}'), 10)).toBeUndefined();
    expect(elementsOf(bytes('"[1]"'), 10)).toBeUndefined();
  });

  it('stops at one element above its limit', () => {
    expect(elementsOf(bytes('[1,2,3,4,5,6]'), 3)).toHaveLength(4);
  });

  it('returns every element as written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(space, rawValue, space), { maxLength: 6 }), (items) => {
        const json = `[${items.map((item) => item.join('')).join(',')}]`;
        expect(texts(elementsOf(bytes(json), 100))).toEqual(items.map(([, value]) => value));
      }),
    );
  });
});

describe('membersOf', () => {
  it('cuts values byte for byte and decodes names', () => {
    const members = membersOf(bytes('{"a":1.0 , "\\u0062" : {"c":[1,2]},"a":"}" }'));
    expect(members?.map(({ name, value }) => [name, value.toString()])).toEqual([
      ['a', '1.0'],
      ['b', '{"c":[1,2]}'],
      ['a', '"}"'],
    ]);
  });

  it('accepts names of object members as ordinary names', () => {
    const members = membersOf(bytes('{"__proto__":1,"constructor":2,"":3}'));
    expect(members?.map(({ name }) => name)).toEqual(['__proto__', 'constructor', '']);
  });

  it('agrees with JSON.parse on names and values', () => {
    fc.assert(
      fc.property(rawValue, (json) => {
        const members = membersOf(bytes(json));
        const parsed: unknown = JSON.parse(json);
        if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
          expect(members).toBeUndefined();
          return;
        }
        const last = new Map(members?.map(({ name, value }) => [name, value.toString()]));
        expect([...last.keys()].sort()).toEqual(Object.keys(parsed).sort());
        for (const [name, value] of Object.entries(parsed)) {
          expect(JSON.parse(last.get(name) ?? '')).toEqual(value);
        }
      }),
    );
  });

  it('ends on any input, valid or not', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', ' ') }),
        (text) => {
          expect(() => elementsOf(bytes(text), 100)).not.toThrow();
        },
      ),
    );
  });
});

describe('trimmed', () => {
  it("removes only JSON's white space", () => {
    expect(trimmed(bytes(' \t\r\n1 \n')).toString()).toBe('1');
    expect(trimmed(bytes('\u00a01')).toString()).toBe('\u00a01');
    expect(trimmed(bytes('  '))).toHaveLength(0);
  });
});
