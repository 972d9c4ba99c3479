import { describe, expect, it } from 'vitest';
import { CutOff } from './cut-off.ts';

function look(cutOff: CutOff, silent: number, connections: number, nowMs: number): void {
  cutOff.begin();
  for (let i = 0; i < silent; i++) cutOff.silent();
  cutOff.end(connections, nowMs);
}

describe('a shard', () => {
  it.each([
    [20, 20, true],
    [19, 19, false],
    [20, 40, true],
    [20, 41, false],
    [500, 5_000, false],
    [2_500, 5_000, true],
    [0, 0, false],
  ])('of which %d of %d clients are silent is cut off: %s', (silent, connections, is) => {
    const cutOff = new CutOff();
    look(cutOff, silent, connections, 1_000);
    expect(cutOff.is(1_000)).toBe(is);
  });

  it('is cut off for ten seconds more, from the last look that said so', () => {
    const cutOff = new CutOff();
    look(cutOff, 40, 40, 0);
    look(cutOff, 3, 3, 5_000);
    expect([cutOff.is(9_999), cutOff.is(10_000)]).toEqual([true, false]);
    look(cutOff, 20, 30, 10_000);
    expect(cutOff.is(19_999)).toBe(true);
  });
});
