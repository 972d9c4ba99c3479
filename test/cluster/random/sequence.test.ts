import { describe, expect, it } from 'vitest';
import type { Action } from './sequence.ts';
import { sequence } from './sequence.ts';
import { shrink } from './shrink.ts';

describe('sequence', () => {
  it('depends on the seed alone, and ends with a quiet point', () => {
    expect(sequence(7, 120)).toEqual(sequence(7, 120));
    expect(sequence(7, 120)).not.toEqual(sequence(8, 120));
    expect(sequence(7, 100).at(-1)?.what).toBe('quiet');
  });
});

describe('shrink', () => {
  const actions = sequence(3, 64);
  const culprits = [actions[9], actions[40]];
  const has = async (some: readonly Action[]): Promise<boolean> =>
    culprits.every((one) => one !== undefined && some.includes(one));

  it('removes actions that do not matter', async () => {
    expect(await shrink(actions, has, 1_000)).toEqual(culprits);
  });

  it('stops after the given number of runs, with a sequence known to fail', async () => {
    let runs = 0;
    const shortest = await shrink(
      actions,
      (some) => {
        runs++;
        return has(some);
      },
      5,
    );
    expect(runs).toBe(5);
    expect(await has(shortest)).toBe(true);
  });

  it('returns the whole sequence if no part of it fails', async () => {
    expect(await shrink(actions, async () => false, 20)).toEqual(actions);
  });
});
