import { describe, expect, it } from 'vitest';
import { LostState } from './lost-state.ts';
import { StateLane } from './state-lane.ts';

const limits = { maxKeys: 100, maxBytes: 10_000, keepMs: 1_000, ratio: 0.1 };

function lane(...keys: readonly (readonly [key: string, value: string | undefined])[]): StateLane {
  const made = new StateLane({ maxKeys: 100, maxBytes: 10_000, deletionMs: 1_000 });
  for (const [at, [key, value]] of keys.entries()) made.apply('a', { key, value, seq: at + 1 }, 0);
  return made;
}

function numbered(count: number, value = 'v'): readonly (readonly [string, string])[] {
  return Array.from({ length: count }, (_, i) => [`k${i}`, value] as const);
}

function keptBy(lost: LostState): Readonly<Record<string, string>> {
  return Object.fromEntries([...lost.entries()].map(({ key, value }) => [key, value]));
}

describe('lost state', () => {
  it('keeps the keys of a stream that became empty, and their number', () => {
    const lost = new LostState(limits);
    const loss = lost.replaced(lane(['x', '1'], ['y', '2'], ['z', '3']), lane(['y', '20']), 0);
    expect(loss).toEqual({ lost: 2, of: 3, kept: 2 });
    expect(keptBy(lost)).toEqual({ x: '1', z: '3' });
    expect([lost.keys, lost.bytes, lost.lostKeys]).toEqual([2, 4, 2]);
  });

  it('reports nothing if an epoch has all keys, or has deleted the missing ones', () => {
    const lost = new LostState(limits);
    const before = lane(['x', '1'], ['y', '2'], ['gone', undefined]);
    expect(lost.replaced(before, lane(['x', '7'], ['y', undefined], ['z', '3']), 0)).toBeUndefined();
    expect([lost.keys, lost.lostKeys]).toEqual([0, 0]);
  });

  it('has nothing to compare with when the shard has just started', () => {
    const lost = new LostState(limits);
    expect(lost.replaced(lane(), lane(['x', '1']), 0)).toBeUndefined();
    expect(lost.replaced(lane(), lane(), 0)).toBeUndefined();
  });

  it('only counts a small part: a purge of a few keys is normal', () => {
    const lost = new LostState(limits);
    expect(lost.replaced(lane(...numbered(10)), lane(...numbered(9)), 0)).toBeUndefined();
    expect([lost.keys, lost.lostKeys]).toEqual([0, 1]);
    expect(lost.replaced(lane(...numbered(10)), lane(...numbered(8)), 0)).toEqual({
      lost: 2,
      of: 10,
      kept: 2,
    });
  });

  it('reports no loss at a ratio of 1, and every loss at 0', () => {
    expect(new LostState({ ...limits, ratio: 1 }).replaced(lane(['x', '1']), lane(), 0)).toBeUndefined();
    const all = new LostState({ ...limits, ratio: 0 });
    expect(all.replaced(lane(...numbered(100)), lane(...numbered(99)), 0)?.lost).toBe(1);
  });

  it('gives up each key that comes back, whether it was set or deleted', () => {
    const lost = new LostState(limits);
    lost.replaced(lane(['x', '1'], ['y', '2'], ['z', '3']), lane(), 0);
    lost.back('a', 'x');
    lost.back('b', 'y');
    expect([keptBy(lost), lost.keys, lost.bytes]).toEqual([{ y: '2', z: '3' }, 2, 4]);
    // The next epoch has one of them and lost nothing.
    expect(lost.replaced(lane(), lane(['z', undefined]), 0)).toBeUndefined();
    expect(keptBy(lost)).toEqual({ y: '2' });
    lost.back('a', 'y');
    expect([lost.keys, lost.bytes, lost.discardedKeys]).toEqual([0, 0, 0]);
  });

  it('keeps an earlier loss beside a later one; the later values win', () => {
    const lost = new LostState(limits);
    lost.replaced(lane(['x', '1'], ['y', '2']), lane(), 0);
    lost.back('a', 'y');
    const loss = lost.replaced(lane(['y', '20'], ['z', '3']), lane(), 500);
    expect(loss).toEqual({ lost: 2, of: 2, kept: 3 });
    expect(keptBy(lost)).toEqual({ y: '20', z: '3', x: '1' });
  });

  it('keeps no more than a lane holds: the earlier loss gives way', () => {
    const lost = new LostState({ ...limits, maxKeys: 3 });
    lost.replaced(lane(['a', '1'], ['b', '1']), lane(), 0);
    lost.replaced(lane(['c', '1'], ['d', '1']), lane(), 0);
    expect([Object.keys(keptBy(lost)), lost.discardedKeys]).toEqual([['c', 'd', 'a'], 1]);
    const small = new LostState({ ...limits, maxBytes: 5 });
    small.replaced(lane(['a', '1'], ['b', '1']), lane(), 0);
    small.replaced(lane(['c', '12']), lane(), 0);
    expect([Object.keys(keptBy(small)), small.bytes, small.discardedKeys]).toEqual([['c', 'a'], 5, 1]);
  });

  it('forgets all after a time since the last loss, or on request', () => {
    const lost = new LostState(limits);
    lost.replaced(lane(['x', '1']), lane(), 0);
    lost.replaced(lane(['y', '1']), lane(), 900);
    expect([lost.expire(1_899), lost.keys]).toEqual([0, 2]);
    expect([lost.expire(1_900), lost.keys, lost.bytes, lost.discardedKeys]).toEqual([2, 0, 0, 2]);
    lost.replaced(lane(['x', '1']), lane(), 2_000);
    expect([lost.discard(), lost.discard(), lost.discardedKeys]).toEqual([1, 0, 3]);
  });

  it('reports a loss without keeping it if it may keep none', () => {
    const lost = new LostState({ ...limits, keepMs: 0 });
    expect(lost.replaced(lane(['x', '1']), lane(), 0)).toEqual({ lost: 1, of: 1, kept: 0 });
    expect([lost.keys, lost.lostKeys]).toEqual([0, 1]);
  });
});
