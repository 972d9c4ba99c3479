import { describe, expect, it } from 'vitest';
import { ceilingOf } from './ceiling.ts';

const pools = ['phone', 'tablet', 'desktop'];

describe('the ceiling', () => {
  it.each([
    [{ saveData: false }, undefined],
    [{ saveData: true }, 'phone'],
    [{ saveData: false, asked: 'tablet' }, 'tablet'],
    [{ saveData: true, asked: 'tablet' }, 'phone'],
    [{ saveData: false, before: 'tablet' }, 'tablet'],
    [{ saveData: false, asked: 'desktop', before: 'tablet' }, 'tablet'],
    [{ saveData: false, asked: 'phone', before: 'tablet' }, 'phone'],
    [{ saveData: false, before: 'gone' }, undefined],
  ])('of %o is %s', (wishes, ceiling) => expect(ceilingOf(wishes, pools)).toBe(ceiling));
});
