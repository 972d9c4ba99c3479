import { describe, expect, it } from 'vitest';
import { entry } from '../fakes/shard-entry.ts';
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

  describe('for a client that a shard sends away', () => {
    const full = { connections: 10, capacity: 10 };
    const choice = (change: object, unsuited: boolean): string => {
      const others = [entry({ pool: 'fast', shard: 'f2', ...change }), entry({ pool: 'slow', shard: 's1' })];
      const all = [entry({ pool: 'fast', shard: 'f1' }), ...others];
      const placed = choose({ entries: all, pools, pool: 'fast', avoid: 'f1', unsuited, random: () => 0 });
      return 'shard' in placed ? `${placed.shard.shard} ${placed.reason}` : placed.none;
    };

    it('is another one of its pool', () => {
      expect([choice({}, false), choice({}, true)]).toEqual(['f2 best', 'f2 best']);
    });

    it('is the same one rather than another pool, where it was only in the way', () => {
      expect(choice(full, false)).toBe('f1 best');
    });

    it('is another pool where its network was too slow for that shard', () => {
      expect(choice(full, true)).toBe('s1 otherPool');
    });

    it('is in another pool where its own has none that takes it', () => {
      const gone = [
        entry({ pool: 'fast', shard: 'f1', draining: true }),
        entry({ pool: 'slow', shard: 's1' }),
      ];
      expect(choose({ entries: gone, pools, pool: 'fast', avoid: 'f1', random: () => 0 })).toMatchObject({
        shard: { shard: 's1' },
        reason: 'otherPool',
      });
    });
  });

  it('is none where the table is empty', () => {
    expect(choose({ entries: [], pools, pool: 'fast', random: () => 0 })).toEqual({ none: 'empty' });
  });
});
