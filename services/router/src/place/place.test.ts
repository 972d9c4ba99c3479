// Placement never picks who may not be picked, and spreads the load.
import type { ShardEntry } from '@weir/fleet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryOf } from '../fakes/shard-entry.ts';
import type { Placement } from './place.ts';
import { place } from './place.ts';

/** A small seeded generator (mulberry32): the spread must hold for all seeds, and a failure must repeat. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function chosen(placement: Placement): string {
  return 'shard' in placement ? placement.shard.shard : placement.none;
}

const entries = fc.array(
  fc.record({
    shard: fc.stringMatching(/^[a-z]{1,4}$/),
    pool: fc.constantFrom('mobile', 'desktop', 'other'),
    connections: fc.nat(20),
    capacity: fc.integer({ min: 1, max: 20 }),
    ticketsSinceBeat: fc.nat(5),
    draining: fc.boolean(),
    stale: fc.boolean(),
    ready: fc.boolean(),
  }),
);

describe('place', () => {
  it('never picks a draining, full or unready shard, nor a shard of another pool', () => {
    fc.assert(
      fc.property(entries, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (list, random) => {
        const placed = place({
          entries: list.map(({ shard, ...over }) => entryOf(shard, over)),
          pools: ['desktop', 'mobile'],
          random: () => random,
        });
        if ('none' in placed) return;
        const { shard } = placed;
        expect(shard.draining).toBe(false);
        expect(shard.ready).toBe(true);
        expect(shard.connections + shard.ticketsSinceBeat).toBeLessThan(shard.capacity);
        expect(['desktop', 'mobile']).toContain(shard.pool);
      }),
    );
  });

  it('finds a shard if any shard may take the client', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const all = list.map(({ shard, ...over }) => entryOf(shard, over));
        const open = all.some(
          (one) =>
            one.pool !== 'other' &&
            one.ready &&
            !one.draining &&
            one.connections + one.ticketsSinceBeat < one.capacity,
        );
        expect('shard' in place({ entries: all, pools: ['mobile', 'desktop'], random: () => 0.5 })).toBe(
          open,
        );
      }),
    );
  });

  it('picks a stale shard only if there is no other', () => {
    const stale = entryOf('a', { stale: true });
    expect(place({ entries: [stale], pools: ['desktop'], random: () => 0 })).toMatchObject({
      reason: 'stale',
    });
    const fresh = entryOf('b', { pool: 'mobile' });
    expect(place({ entries: [stale, fresh], pools: ['desktop', 'mobile'], random: () => 0 })).toMatchObject({
      shard: { shard: 'b' },
      reason: 'otherPool',
    });
  });

  it('avoids the named shard unless it is the only one', () => {
    const list = [entryOf('a'), entryOf('b', { connections: 9 })];
    expect(place({ entries: list, pools: ['desktop'], exclude: 'a', random: () => 0 })).toMatchObject({
      shard: { shard: 'b' },
    });
    expect(
      place({ entries: [entryOf('a')], pools: ['desktop'], exclude: 'a', random: () => 0 }),
    ).toMatchObject({
      shard: { shard: 'a' },
    });
  });

  it('prefers the newest revision until it is full', () => {
    const old = entryOf('old', { revisionOrder: 1 });
    const young = entryOf('young', { revisionOrder: 2, connections: 9 });
    const pick = (...entries: ShardEntry[]): string =>
      chosen(place({ entries, pools: ['desktop'], random: () => 0.99 }));
    expect(pick(old, young)).toBe('young');
    expect(pick(old, { ...young, connections: 10 })).toBe('old');
    expect(pick(entryOf('absent'), old)).toBe('old');
  });

  it('spreads clients over shards, tickets counted, within a few of each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.integer(), (count, seed) => {
        const random = generator(seed);
        const shards = Array.from({ length: count }, (_, i) => entryOf(`s${i}`, { capacity: 1_000 }));
        for (let given = 0; given < count * 50; given++) {
          const shard = chosen(place({ entries: shards, pools: ['desktop'], random }));
          const at = shards.findIndex((one) => one.shard === shard);
          const one = shards[at] ?? entryOf('none');
          shards[at] = { ...one, ticketsSinceBeat: one.ticketsSinceBeat + 1 };
        }
        const loads = shards.map(({ ticketsSinceBeat }) => ticketsSinceBeat);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(12);
      }),
      { numRuns: 20 },
    );
  });

  it('fills every shard to its capacity and no further', () => {
    const random = generator(7);
    let shards = [
      entryOf('a', { capacity: 3 }),
      entryOf('b', { capacity: 50 }),
      entryOf('c', { connections: 9 }),
    ];
    for (let room = 3 + 50 + 1; room > 0; room--) {
      const shard = chosen(place({ entries: shards, pools: ['desktop'], random }));
      shards = shards.map((one) =>
        one.shard === shard ? { ...one, connections: one.connections + 1 } : one,
      );
    }
    expect(shards.every((one) => one.connections === one.capacity)).toBe(true);
    expect(place({ entries: shards, pools: ['desktop'], random })).toEqual({ none: 'full' });
  });

  it.each([
    [[], 'empty'],
    [[entryOf('a', { draining: true })], 'draining'],
    [[entryOf('a', { ready: false })], 'notReady'],
    [[entryOf('a', { connections: 10 }), entryOf('b', { draining: true })], 'full'],
  ] as const)('gives the reason why there is no shard: %#', (list, none) => {
    expect(place({ entries: list, pools: ['desktop'], random: () => 0 })).toEqual({ none });
  });
});
