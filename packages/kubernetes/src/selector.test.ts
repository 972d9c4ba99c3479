import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelSelectorObject, matchesSelector, parseSelector, SelectorError } from './selector.ts';

const labels = { app: 'weir', 'weir.dev/pool': 'mobile', size: '12' };
const matches = (text: string): boolean => matchesSelector(parseSelector(text), labels);

describe('selectors', () => {
  it.each([
    '',
    ' ',
    'app',
    '!gone',
    'app=weir',
    'app==weir',
    'app != other',
    'gone!=other',
    'weir.dev/pool in (mobile, desktop)',
    'weir.dev/pool in (mobile),app=weir , size',
    'weir.dev/pool notin (desktop)',
    'gone notin (desktop)',
    'size>11',
    'size<13',
    'app in(weir)',
  ])('match: %s', (text) => {
    expect(matches(text)).toBe(true);
  });

  it.each([
    'gone',
    '!app',
    'app=other',
    'app!=weir',
    'app=',
    'gone=weir',
    'gone in (weir)',
    'weir.dev/pool in (desktop)',
    'weir.dev/pool notin (mobile)',
    'app=weir,gone',
    'size>12',
    'app>1',
    'toString',
  ])('do not match: %s', (text) => {
    expect(matches(text)).toBe(false);
  });

  it.each([
    'a,,b',
    ',',
    'a in b',
    'a in (b',
    'a in ((b))',
    'a) in (b',
    '=b',
    'a=b=c',
    '!!a',
    'a b',
    'a>x',
    'ä=b',
    'a=-',
    '/a',
    '__proto__',
    `${'a'.repeat(64)}`,
    'x,'.repeat(100),
    `a in (${'b,'.repeat(300)}b)`,
    'a'.repeat(10_000),
  ])('are refused: %s', (text) => {
    expect(() => parseSelector(text)).toThrow(SelectorError);
  });

  it('throw only their own error, and match without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab,=!()<> inot./-1') }), (text) => {
        try {
          matchesSelector(parseSelector(text), labels);
        } catch (error) {
          expect(error).toBeInstanceOf(SelectorError);
        }
      }),
    );
  });

  it('of sets agree with their definition', () => {
    const value = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(fc.uniqueArray(value, { minLength: 1 }), value, (set, own) => {
        const text = `(${set.join(',')})`;
        expect(matchesSelector(parseSelector(`k in ${text}`), { k: own })).toBe(set.includes(own));
        expect(matchesSelector(parseSelector(`k notin ${text}`), { k: own })).toBe(!set.includes(own));
      }),
    );
  });

  it("are formatted like the API's", () => {
    expect(labelSelectorObject(parseSelector(''))).toBe(null);
    expect(labelSelectorObject(parseSelector('pool=mobile,!x,y'))).toEqual({
      matchExpressions: [
        { key: 'pool', operator: 'In', values: ['mobile'] },
        { key: 'x', operator: 'DoesNotExist' },
        { key: 'y', operator: 'Exists' },
      ],
    });
  });
});
