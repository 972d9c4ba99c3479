import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeKey, unescapeKey } from './key-text.ts';
import { isToken } from './names.ts';

describe('escapeKey', () => {
  it.each([
    ['slot-42', 'slot-42'],
    ['slot_42', 'slot_42'],
    ['1.200806927', '__1_2E200806927'],
    ['EUR/USD', '__EUR_2FUSD'],
    ['a b', '__a_20b'],
    ['é', '___C3_A9'],
    ['__a', '___5F_5Fa'],
    ['$edge', '___24edge'],
    ["(a!*'~)", '___28a_21_2A_27_7E_29'],
  ])('%j is %s, and back', (text, key) => {
    expect(escapeKey(text)).toBe(key);
    expect(unescapeKey(key)).toBe(text);
  });

  it.each([
    ['', /1 to 128 characters/],
    ['\ud800', /valid Unicode/],
    ['.'.repeat(43), /1 to 128 characters/],
  ])('refuses %j', (text, words) => {
    expect(() => escapeKey(text)).toThrow(words);
  });

  it('is reversible, makes tokens, and never one of two texts', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [keyA, keyB] = [escapeKey(a), escapeKey(b)];
        expect(isToken(keyA)).toBe(true);
        expect(unescapeKey(keyA)).toBe(a);
        expect(keyA === keyB).toBe(a === b);
      }),
    );
  });
});

describe('unescapeKey', () => {
  it('leaves alone what escapeKey does not make', () => {
    for (const key of ['__proto__', '__x', '__a_2e', '__a_', '___FF', '__a_41', 'slot_2E'])
      expect(unescapeKey(key)).toBe(key);
  });

  it('takes every key', () => {
    const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
    fc.assert(
      fc.property(key, (one) => {
        expect(escapeKey(unescapeKey(one))).toBeTypeOf('string');
      }),
    );
  });
});
