import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryOf } from '../fakes/entries.ts';
import { hindrance, plan, tolerance } from './plan.ts';

const pool = (...connections: readonly number[]) =>
  connections.map((count, index) => entryOf(`s${index}`, { connections: count }));

describe('plan', () => {
  it('sheds the surplus over the average, after a scale-up', () => {
    expect(plan(pool(3_000, 3_000, 0), tolerance)).toEqual([
      { shard: 's0', surplus: 1_000 },
      { shard: 's1', surplus: 1_000 },
    ]);
  });

  it.each([
    ['within a tenth', [1_000, 1_090, 920]],
    ['more than a tenth, but a few clients', [100, 140, 30]],
    ['nobody there', [0, 0]],
    ['one shard', [5_000]],
    ['no shard', []],
  ])('leaves the pool alone: %s', (_, connections) => {
    expect(plan(pool(...connections), tolerance)).toEqual([]);
  });

  it('asks for no more than the others have room for', () => {
    const [full, small] = pool(1_000, 0);
    if (full === undefined || small === undefined) throw new Error('two shards');
    expect(plan([full, { ...small, capacity: 300 }], tolerance)).toEqual([{ shard: 's0', surplus: 300 }]);
  });

  it('never brings a shard below the average, nor another one above it', () => {
    const counts = fc.array(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(counts, (connections) => {
        const entries = pool(...connections);
        const donors = plan(entries, tolerance);
        const average = connections.reduce((sum, one) => sum + one, 0) / connections.length;
        for (const { shard, surplus } of donors) {
          const has = entries.find((entry) => entry.shard === shard)?.connections ?? 0;
          expect(has).toBeGreaterThan(average * 1.1);
          expect(has).toBeGreaterThan(average + 50);
          expect(has - surplus).toBeGreaterThanOrEqual(average - 1e-6);
        }
        const room = connections.reduce((sum, one) => sum + Math.max(0, average - one), 0);
        expect(donors.reduce((sum, { surplus }) => sum + surplus, 0)).toBeLessThanOrEqual(room + 1e-6);
      }),
    );
  });
});

describe('hindrance', () => {
  const two = [entryOf('a'), entryOf('b')];

  it('is none where everyone takes part', () => {
    expect(hindrance(two, 0)).toBeUndefined();
  });

  it.each([
    ['few', [entryOf('a')], 0],
    ['draining', [...two, entryOf('c', { draining: true })], 0],
    ['notReady', [...two, entryOf('c', { ready: false })], 0],
    ['stale', [...two, entryOf('c', { stale: true })], 0],
    ['rollout', [...two, entryOf('c', { revision: 'r2' })], 0],
    ['unheard', two, 1],
  ])('is there: %s', (what, entries, unheard) => {
    expect(hindrance(entries, unheard)).toBe(what);
  });
});
