import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateLimits } from './state-lane.ts';
import { StateLane } from './state-lane.ts';

const wide: StateLimits = { maxKeys: 1_000, maxBytes: 100_000, deletionMs: 1_000 };

function keysSince(lane: StateLane, channel: string, seq: number): readonly string[] {
  const keys: string[] = [];
  lane.log(channel).since(seq, ({ key, value }) => {
    keys.push(value === undefined ? `-${key}` : key);
    return true;
  });
  return keys;
}

describe('StateLane', () => {
  it('keeps channels apart and moves on with every message', () => {
    const lane = new StateLane(wide);
    expect(lane.apply('a', { key: 'k', value: '1', seq: 3 }, 0)).toBe('new');
    expect(lane.apply('b', { key: 'k', value: '2', seq: 4 }, 0)).toBe('new');
    expect([lane.log('a').get('k'), lane.log('b').get('k')]).toEqual(['1', '2']);
    expect([lane.seq, lane.channels, lane.keys, lane.bytes]).toEqual([4, 2, 2, 4]);
    lane.advance(9);
    lane.advance(2);
    expect(lane.seq).toBe(9);
  });

  it('tells a tick once which channels changed, and from where', () => {
    const lane = new StateLane(wide);
    lane.apply('a', { key: 'x', value: '1', seq: 1 }, 0);
    expect(lane.takeDirty().map(({ channel, sinceSeq }) => [channel, sinceSeq])).toEqual([['a', 0]]);
    expect(lane.takeDirty()).toEqual([]);
    lane.apply('a', { key: 'y', value: '1', seq: 2 }, 0);
    lane.apply('b', { key: 'y', value: '1', seq: 3 }, 0);
    lane.apply('a', { key: 'x', value: '1', seq: 4 }, 0);
    expect(lane.takeDirty().map(({ channel, sinceSeq }) => [channel, sinceSeq])).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
  });

  it('remembers a deletion also if the channel has nothing else', () => {
    // A shard that starts finds the deletion alone in the stream; a client that comes with a position has the key.
    const lane = new StateLane(wide);
    expect(lane.apply('a', { key: 'x', value: undefined, seq: 10 }, 0)).toBe('new');
    expect(keysSince(lane, 'a', 7)).toEqual(['-x']);
  });

  it('forgets channels of which nothing is left, and raises the floor of every channel that is not here', () => {
    const lane = new StateLane(wide);
    lane.apply('old', { key: 'x', value: '1', seq: 1 }, 0);
    lane.apply('old', { key: 'x', value: undefined, seq: 2 }, 10);
    lane.apply('kept', { key: 'x', value: '1', seq: 3 }, 10);
    lane.takeDirty();
    lane.forgetDeletions(1_009);
    expect(lane.channels).toBe(2);
    lane.forgetDeletions(1_011);
    expect([lane.channels, lane.keys, lane.bytes]).toEqual([1, 1, 2]);
    expect([lane.log('old').floorSeq, lane.log('never').floorSeq, lane.log('kept').floorSeq]).toEqual([
      2, 2, 0,
    ]);
    // The channel comes back: a client from before the deletion still needs a snapshot.
    lane.apply('old', { key: 'y', value: '1', seq: 4 }, 2_000);
    expect(lane.log('old').floorSeq).toBe(2);
  });

  it('forgets no deletion that no tick has told', () => {
    const lane = new StateLane(wide);
    lane.apply('a', { key: 'x', value: undefined, seq: 1 }, 0);
    lane.forgetDeletions(60_000);
    expect(keysSince(lane, 'a', 0)).toEqual(['-x']);
    lane.takeDirty();
    lane.forgetDeletions(60_000);
    expect(keysSince(lane, 'a', 0)).toEqual([]);
  });

  it('forgets the deletions of a channel that changes all the time', () => {
    const lane = new StateLane(wide);
    lane.apply('a', { key: 'x', value: undefined, seq: 1 }, 0);
    lane.takeDirty();
    lane.apply('a', { key: 'y', value: '1', seq: 2 }, 2_000);
    lane.forgetDeletions(2_000);
    expect([keysSince(lane, 'a', 0), lane.log('a').floorSeq, lane.log('a').forgottenSeq]).toEqual([
      ['y'],
      1,
      1,
    ]);
  });

  describe('at its limits', () => {
    it('refuses new keys and goes on with those that it has', () => {
      const lane = new StateLane({ ...wide, maxKeys: 2 });
      lane.apply('a', { key: 'x', value: '1', seq: 1 }, 0);
      lane.apply('a', { key: 'y', value: '1', seq: 2 }, 0);
      expect(lane.apply('b', { key: 'x', value: '1', seq: 3 }, 0)).toBe('full');
      expect([lane.seq, lane.channels]).toEqual([3, 1]);
      expect(lane.apply('a', { key: 'x', value: '2', seq: 4 }, 0)).toBe('known');
      expect(lane.apply('a', { key: 'y', value: undefined, seq: 5 }, 0)).toBe('known');
      // The place of a remembered deletion is the key's own.
      expect(lane.apply('a', { key: 'y', value: '3', seq: 6 }, 0)).toBe('known');
    });

    it('knows a key again whose deletion it forgets to make room for it', () => {
      const lane = new StateLane({ ...wide, maxBytes: 3 });
      lane.apply('a', { key: 'x', value: undefined, seq: 1 }, 0);
      lane.takeDirty();
      expect(lane.apply('a', { key: 'x', value: '22', seq: 2 }, 0)).toBe('known');
      expect(lane.apply('a', { key: 'x', value: undefined, seq: 3 }, 0)).toBe('known');
      lane.takeDirty();
      lane.apply('a', { key: 'yy', value: undefined, seq: 4 }, 0);
      lane.takeDirty();
      expect(lane.apply('b', { key: 'x', value: '1', seq: 5 }, 0)).toBe('new');
    });

    it('does not grow by deletions of unknown keys', () => {
      const lane = new StateLane({ ...wide, maxKeys: 1 });
      lane.apply('a', { key: 'x', value: '1', seq: 1 }, 0);
      for (let seq = 2; seq < 100; seq++) {
        const entry = { key: `k${seq}`, value: undefined, seq };
        expect(lane.apply(seq % 2 === 0 ? 'a' : `c${seq}`, entry, 0)).toBe('old');
      }
      expect([lane.keys, lane.channels]).toEqual([1, 1]);
      expect([lane.log('a').floorSeq, lane.log('c99').floorSeq]).toEqual([98, 99]);
    });

    it('forgets the oldest deletions of all channels for values, and raises their floors', () => {
      const lane = new StateLane({ ...wide, maxKeys: 3 });
      lane.apply('a', { key: 'x', value: undefined, seq: 1 }, 0);
      lane.apply('b', { key: 'x', value: undefined, seq: 2 }, 0);
      lane.apply('a', { key: 'y', value: undefined, seq: 3 }, 0);
      lane.takeDirty();
      expect(lane.apply('c', { key: 'live', value: '1', seq: 4 }, 0)).toBe('new');
      expect([keysSince(lane, 'a', 0), lane.log('a').floorSeq]).toEqual([['-y'], 1]);
      expect(lane.apply('c', { key: 'more', value: '1', seq: 5 }, 0)).toBe('new');
      // The channel is gone with its only deletion: positions from before it need a snapshot all the same.
      expect([lane.channels, lane.log('b').floorSeq]).toEqual([2, 2]);
      expect(lane.apply('c', { key: 'last', value: '1', seq: 6 }, 0)).toBe('new');
      expect([lane.liveKeys, lane.rememberedDeletions, lane.evictedDeletions]).toEqual([3, 0, 3]);
      expect(lane.apply('c', { key: 'none', value: '1', seq: 7 }, 0)).toBe('full');
    });

    it('forgets deletions for the bytes of values, but none in vain', () => {
      const lane = new StateLane({ ...wide, maxBytes: 30 });
      lane.apply('a', { key: 'k'.repeat(10), value: undefined, seq: 1 }, 0);
      lane.apply('a', { key: 'l'.repeat(10), value: undefined, seq: 2 }, 0);
      expect(lane.apply('a', { key: 'x', value: '1'.repeat(30), seq: 3 }, 0)).toBe('full');
      expect(lane.rememberedDeletions).toBe(2);
      expect(lane.apply('a', { key: 'x', value: '1'.repeat(19), seq: 4 }, 0)).toBe('new');
      expect([lane.rememberedDeletions, lane.bytes]).toEqual([1, 30]);
      expect(lane.apply('a', { key: 'x', value: '1'.repeat(29), seq: 5 }, 0)).toBe('known');
      expect([lane.rememberedDeletions, lane.bytes, lane.log('a').floorSeq]).toEqual([0, 30, 2]);
    });

    it('remembers a newer deletion of an unknown key in the place of an older one', () => {
      const lane = new StateLane({ ...wide, maxKeys: 2 });
      lane.apply('a', { key: 'x', value: '1', seq: 1 }, 0);
      lane.apply('a', { key: 'y', value: undefined, seq: 2 }, 0);
      expect(lane.apply('a', { key: 'z', value: undefined, seq: 3 }, 0)).toBe('new');
      expect([keysSince(lane, 'a', 0), lane.log('a').floorSeq]).toEqual([['x', '-z'], 2]);
    });

    it('says up to where a deletion was forgotten, also one that no tick had told', () => {
      const lane = new StateLane({ ...wide, maxKeys: 1 });
      lane.apply('a', { key: 'x', value: '1', seq: 1 }, 0);
      lane.takeDirty();
      lane.apply('a', { key: 'x', value: undefined, seq: 2 }, 0);
      lane.apply('b', { key: 'y', value: '1', seq: 3 }, 0);
      expect(lane.takeDirty().map(({ channel, log }) => [channel, log.forgottenSeq])).toEqual([
        ['a', 2],
        ['b', 0],
      ]);
      lane.forgetDeletions(0);
      expect([lane.channels, lane.log('a').floorSeq]).toEqual([1, 2]);
    });

    it('gives a deletion that is loaded past its time no room', () => {
      const lane = new StateLane({ ...wide, maxKeys: 2 });
      expect(lane.load('a', { key: 'x', value: '1', seq: 1 }, { timeMs: 0, nowMs: 5_000 })).toBe('new');
      expect(lane.load('a', { key: 'y', value: undefined, seq: 2 }, { timeMs: 3_999, nowMs: 5_000 })).toBe(
        'old',
      );
      expect(lane.load('b', { key: 'y', value: undefined, seq: 3 }, { timeMs: 3_999, nowMs: 5_000 })).toBe(
        'old',
      );
      expect([lane.keys, lane.channels, lane.seq]).toEqual([1, 1, 3]);
      expect([lane.log('a').floorSeq, lane.log('b').floorSeq]).toEqual([2, 3]);
      expect(lane.load('a', { key: 'y', value: undefined, seq: 4 }, { timeMs: 4_001, nowMs: 5_000 })).toBe(
        'new',
      );
      // The key is here: it must go.
      expect(lane.load('a', { key: 'x', value: undefined, seq: 5 }, { timeMs: 0, nowMs: 5_000 })).toBe(
        'known',
      );
      expect([lane.liveKeys, lane.takeDirty()]).toEqual([0, []]);
    });

    it('refuses a value only where values alone fill it, and a position that it accepts brings every change', () => {
      const message = fc.record({
        channel: fc.constantFrom('a', 'b', 'c'),
        key: fc.constantFrom('k', 'l', 'm', 'n'),
        value: fc.option(fc.constantFrom('1', '22', '333'), { nil: undefined }),
        tick: fc.boolean(),
      });
      fc.assert(
        fc.property(fc.array(message, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (all, maxKeys) => {
          const lane = new StateLane({ ...wide, maxKeys, deletionMs: 9 });
          const truths: Map<string, string>[] = [new Map()];
          all.forEach(({ channel, key, value, tick }, i) => {
            const truth = new Map(truths.at(-1));
            const full = value !== undefined && !truth.has(`${channel} ${key}`) && truth.size >= maxKeys;
            const outcome = lane.apply(channel, { key, value, seq: i + 1 }, i);
            expect(outcome === 'full').toBe(full);
            if (value === undefined) truth.delete(`${channel} ${key}`);
            else if (!full) truth.set(`${channel} ${key}`, value);
            truths.push(truth);
            if (tick) lane.takeDirty();
            if (i % 10 === 9) lane.forgetDeletions(i);
          });
          truths.forEach((at, seq) => {
            for (const channel of ['a', 'b', 'c']) {
              const log = lane.log(channel);
              if (seq < log.floorSeq) continue;
              const mine = new Map([...at].filter(([name]) => name.startsWith(channel)));
              log.since(seq, ({ key, value }) => {
                if (value === undefined) mine.delete(`${channel} ${key}`);
                else mine.set(`${channel} ${key}`, value);
                return true;
              });
              const newest = [...(truths.at(-1) ?? [])].filter(([name]) => name.startsWith(channel));
              expect(mine).toEqual(new Map(newest));
            }
          });
        }),
      );
    });

    it('never holds more bytes or keys than its limits', () => {
      const message = fc.record({
        channel: fc.constantFrom('a', 'b', 'c'),
        key: fc.constantFrom('k', 'kk', 'kkk', 'kkkk'),
        value: fc.option(fc.stringMatching(/^[0-9]{0,30}$/), { nil: undefined }),
      });
      fc.assert(
        fc.property(fc.array(message, { maxLength: 80 }), fc.nat(60), fc.nat(8), (all, maxBytes, maxKeys) => {
          const lane = new StateLane({ maxBytes, maxKeys, deletionMs: 20 });
          all.forEach(({ channel, key, value }, seq) => {
            const before = lane.log(channel).get(key);
            const outcome = lane.apply(channel, { key, value, seq: seq + 1 }, seq);
            if (outcome === 'full') expect(lane.log(channel).get(key)).toBe(before);
            else expect(lane.log(channel).get(key)).toBe(value);
            if (seq % 7 === 0) lane.takeDirty();
            if (seq % 10 === 0) lane.forgetDeletions(seq);
            const logs = ['a', 'b', 'c'].map((name) => lane.log(name));
            expect(lane.keys).toBe(logs.reduce((sum, log) => sum + log.keys + log.deletions, 0));
            expect(lane.bytes).toBe(logs.reduce((sum, log) => sum + log.bytes, 0));
            expect(lane.bytes).toBeLessThanOrEqual(maxBytes);
            expect(lane.keys).toBeLessThanOrEqual(maxKeys);
          });
        }),
      );
    });
  });
});
