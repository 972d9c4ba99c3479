import { describe, expect, it } from 'vitest';
import { entry } from '../fakes/running-router.ts';
import { choose, preference } from './choose.ts';

const pools = ['slow', 'middle', 'fast'];

describe('the order of pools', () => {
  it.each([
    ['slow', ['slow', 'middle', 'fast']],
    ['middle', ['middle', 'slow', 'fast']],
    ['fast', ['fast', 'middle', 'slow']],
    ['unknown', pools],
  ])('for %s: itself, slower ones, faster ones', (pool, order) =>
    expect(preference(pools, pool)).toEqual(order),
  );
});

describe('the choice', () => {
  const entries = [entry({ pool: 'slow', shard: 's1' }), entry({ pool: 'fast', shard: 'f1' })];
  const shardFor = (pool: string, avoid?: string): string => {
    const placed = choose({ entries, pools, pool, avoid, random: () => 0 });
    return 'shard' in placed ? `${placed.shard.shard} ${placed.reason}` : placed.none;
  };

  it('stays in the pool, or takes a slower one before a faster one', () => {
    expect([shardFor('fast'), shardFor('middle')]).toEqual(['f1 best', 's1 otherPool']);
  });

  it('is none where the table is empty', () => {
    expect(choose({ entries: [], pools, pool: 'fast', random: () => 0 })).toEqual({ none: 'empty' });
  });
});
