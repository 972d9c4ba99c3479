import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CriticalEntry, CriticalLimits } from './critical-lane.ts';
import { CriticalLane, ENTRY_BYTES } from './critical-lane.ts';

const wide: CriticalLimits = { maxAgeMs: 1_000, maxPerChannel: 1_000, maxBytes: 10_000_000 };

function entry(seq: number, timeMs = 0, value = `${seq}`): CriticalEntry {
  return { seq, value, timeMs, storedMs: timeMs };
}

function seqsSince(lane: CriticalLane, channel: string, seq: number): readonly number[] {
  const seqs: number[] = [];
  lane.since(channel, seq, ({ seq: at }) => {
    seqs.push(at);
    return true;
  });
  return seqs;
}

describe('CriticalLane', () => {
  it('gives every channel its own messages in order, from any cursor, until told to stop', () => {
    const lane = new CriticalLane(wide);
    for (const seq of [1, 3, 5, 7]) lane.append('a', entry(seq));
    for (const seq of [2, 4]) lane.append('b', entry(seq + 6));
    expect(seqsSince(lane, 'a', 0)).toEqual([1, 3, 5, 7]);
    expect(seqsSince(lane, 'a', 4)).toEqual([5, 7]);
    expect(seqsSince(lane, 'a', 7)).toEqual([]);
    expect(seqsSince(lane, 'b', 0)).toEqual([8, 10]);
    expect(seqsSince(lane, 'none', 0)).toEqual([]);
    const two: number[] = [];
    lane.since('a', 0, ({ seq }) => two.push(seq) < 2);
    expect(two).toEqual([1, 3]);
    expect([lane.seq, lane.messages]).toEqual([10, 6]);
  });

  it('says how many bytes a client is owed, without those that it has dropped', () => {
    const lane = new CriticalLane({ ...wide, maxPerChannel: 4 });
    for (const seq of [1, 3, 5, 7, 9]) lane.append('a', entry(seq, 0, 'x'.repeat(1_000)));
    lane.append('b', entry(10, 0, 'y'));
    const one = 1_000 + ENTRY_BYTES;
    expect([0, 3, 5, 9].map((afterSeq) => lane.bytesOf('a', { afterSeq }))).toEqual(
      [4, 3, 2, 0].map((n) => n * one),
    );
    expect([1, 3, 100].map((last) => lane.bytesOf('a', { last }))).toEqual([one, 3 * one, 4 * one]);
    expect(lane.bytesOf('none', { last: 1 })).toBe(0);
  });

  it('says how many messages the stream must still have: within their time, and not told as lost', () => {
    const lane = new CriticalLane(wide);
    for (const seq of [1, 3, 5, 7]) lane.append('a', entry(seq, seq * 100));
    lane.append('b', entry(8, 800));
    const kept = (firstSeq: number, serverNowMs: number): Record<string, number> =>
      Object.fromEntries(lane.kept({ firstSeq, serverNowMs, slackMs: 50 }));
    expect(kept(1, 800)).toEqual({ a: 4, b: 1 });
    expect(kept(1, 1_250)).toEqual({ a: 3, b: 1 });
    expect(kept(1, 1_251)).toEqual({ a: 2, b: 1 });
    expect(kept(4, 800)).toEqual({ a: 2, b: 1 });
    lane.lose(9, ['b']);
    expect(kept(1, 800)).toEqual({ a: 4 });
  });

  it('knows where the newest few messages of a channel begin, and skips no loss of them', () => {
    const lane = new CriticalLane({ ...wide, maxPerChannel: 4 });
    for (const seq of [1, 3, 5, 7, 9]) lane.append('a', entry(seq));
    lane.append('b', entry(10));
    const newest = (count: number, upToSeq = 10): readonly number[] =>
      seqsSince(lane, 'a', lane.seqBeforeLast('a', count, upToSeq)).filter((seq) => seq <= upToSeq);
    expect([newest(1), newest(2), newest(4), newest(50)]).toEqual([[9], [7, 9], [3, 5, 7, 9], [3, 5, 7, 9]]);
    expect(newest(2, 6)).toEqual([3, 5]);
    expect(newest(2, 2)).toEqual([]);
    expect(lane.seqBeforeLast('none', 5, 10)).toBe(10);
    for (const count of [1, 4, 50]) expect(lane.hasLost('a', lane.seqBeforeLast('a', count, 10))).toBe(false);
  });

  it('ignores what is not newer than what it has', () => {
    const lane = new CriticalLane(wide);
    expect(lane.append('a', entry(5))).toBe(true);
    expect(lane.append('a', entry(5))).toBe(false);
    expect(lane.append('b', entry(4))).toBe(false);
    lane.advance(8);
    expect(lane.append('a', entry(8))).toBe(false);
    expect(lane.append('a', entry(9))).toBe(true);
    expect(seqsSince(lane, 'a', 0)).toEqual([5, 9]);
  });

  it('knows what it has lost by count, and only for the channel concerned', () => {
    const lane = new CriticalLane({ ...wide, maxPerChannel: 3 });
    for (let seq = 1; seq <= 10; seq++) lane.append(seq === 1 ? 'quiet' : 'busy', entry(seq));
    expect(seqsSince(lane, 'busy', 0)).toEqual([8, 9, 10]);
    expect(lane.hasLost('busy', 6)).toBe(true);
    expect(lane.hasLost('busy', 7)).toBe(false);
    expect(lane.hasLost('quiet', 0)).toBe(false);
  });

  it('knows what it has lost by age, also of a channel of which nothing is left', () => {
    const lane = new CriticalLane(wide);
    lane.append('a', entry(1, 0));
    lane.append('b', entry(2, 0));
    lane.append('b', entry(3, 600));
    lane.expire(1_000);
    expect(lane.messages).toBe(3);
    lane.expire(1_001);
    expect([lane.messages, seqsSince(lane, 'b', 0)]).toEqual([1, [3]]);
    expect([lane.hasLost('a', 0), lane.hasLost('a', 1)]).toEqual([true, false]);
    expect([lane.hasLost('b', 1), lane.hasLost('b', 2)]).toEqual([true, false]);
    lane.expire(5_000);
    expect([lane.messages, lane.bytes]).toEqual([0, 0]);
    expect([lane.hasLost('b', 2), lane.hasLost('b', 3)]).toEqual([true, false]);
  });

  it('lets the oldest messages go first where there are too many bytes', () => {
    const lane = new CriticalLane({ ...wide, maxBytes: 3 * (ENTRY_BYTES + 10) });
    for (const [channel, seq] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['b', 4],
    ] as const) {
      lane.append(channel, entry(seq, 0, '"12345678"'));
    }
    expect([seqsSince(lane, 'a', 0), seqsSince(lane, 'b', 0)]).toEqual([[3], [2, 4]]);
    expect([lane.hasLost('a', 0), lane.hasLost('b', 0)]).toEqual([true, false]);
  });

  it('takes for a large message only what is older than what other channels keep', () => {
    const lane = new CriticalLane({ ...wide, maxBytes: 10 * (ENTRY_BYTES + 4) });
    for (let seq = 1; seq <= 10; seq++) lane.append(seq === 1 || seq > 5 ? 'a' : 'b', entry(seq, 0, '1234'));
    lane.append('c', entry(11, 0, 'x'.repeat(3 * (ENTRY_BYTES + 4) + 4)));
    expect([seqsSince(lane, 'a', 0), seqsSince(lane, 'b', 0)]).toEqual([[6, 7, 8, 9, 10], [5]]);
  });

  it('counts what a message costs besides its value: tiny messages are bounded too', () => {
    const lane = new CriticalLane({ ...wide, maxPerChannel: 1e6, maxBytes: 1_000 * ENTRY_BYTES });
    for (let seq = 1; seq <= 5_000; seq++) lane.append(`c${seq % 50}`, entry(seq, 0, '1'));
    expect(lane.messages).toBeLessThan(1_000);
  });

  it('counts a stream that begins late as a loss for every channel', () => {
    const lane = new CriticalLane(wide);
    lane.lostBefore(101);
    expect([lane.seq, lane.hasLost('a', 99), lane.hasLost('a', 100)]).toEqual([100, true, false]);
    lane.append('a', entry(101));
    expect(seqsSince(lane, 'a', 0)).toEqual([101]);
  });

  it('takes a channel that fills what the stream keeps of it as one that has lost messages', () => {
    const lane = new CriticalLane(wide);
    lane.lostBefore(1);
    for (const seq of [10, 11, 12]) lane.append('full', entry(seq));
    for (const seq of [13, 14]) lane.append('short', entry(seq));
    lane.sealLoaded(3, 9);
    expect([lane.hasLost('full', 8), lane.hasLost('full', 9)]).toEqual([true, false]);
    expect(lane.hasLost('short', 0)).toBe(false);
    lane.sealLoaded(Number.POSITIVE_INFINITY, 0);
    expect(lane.hasLost('short', 0)).toBe(false);
  });

  it('takes a hole that no full channel explains as a loss for everybody', () => {
    const lane = new CriticalLane(wide);
    lane.lostBefore(1);
    for (const seq of [1, 10, 11, 12]) lane.append(seq === 1 ? 'short' : 'full', entry(seq));
    lane.append('short', entry(15));
    lane.sealLoaded(3, 14);
    expect([lane.hasLost('short', 13), lane.hasLost('short', 14)]).toEqual([true, false]);
    expect([lane.hasLost('none', 13), lane.hasLost('none', 14)]).toEqual([true, false]);
    // What it has from before is still there.
    expect(seqsSince(lane, 'short', 0)).toEqual([1, 15]);
  });

  it('knows of messages that were gone before they were read', () => {
    const lane = new CriticalLane(wide);
    lane.append('a', entry(1));
    lane.lose(5, ['a', 'new']);
    expect([lane.seq, lane.hasLost('a', 4), lane.hasLost('a', 5)]).toEqual([5, true, false]);
    expect([lane.hasLost('new', 4), lane.hasLost('b', 0)]).toEqual([true, false]);
    lane.lose(8, undefined);
    expect([lane.seq, lane.hasLost('b', 7), lane.hasLost('b', 8)]).toEqual([8, true, false]);
    lane.append('a', entry(9));
    expect(seqsSince(lane, 'a', 0)).toEqual([1, 9]);
  });

  it('never skips a message of a channel without knowing that it did, and keeps within its limits', () => {
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          channel: fc.constantFrom('a', 'b', 'c'),
          ahead: fc.integer({ min: 0, max: 3 }),
          afterMs: fc.nat(40),
          size: fc.nat(60),
        }),
      },
      { weight: 1, arbitrary: fc.constant('expire' as const) },
    );
    const limits = fc.record({
      maxAgeMs: fc.integer({ min: 1, max: 500 }),
      maxPerChannel: fc.integer({ min: 1, max: 12 }),
      maxBytes: fc.integer({ min: 1, max: 20 * ENTRY_BYTES }),
    });
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 100 }), (given, steps) => {
        const lane = new CriticalLane(given);
        const sent: { channel: string; seq: number }[] = [];
        let seq = 0;
        let nowMs = 0;
        for (const now of steps) {
          if (now === 'expire') lane.expire(nowMs);
          else {
            seq += now.ahead;
            nowMs += now.afterMs;
            const taken = lane.append(now.channel, entry(seq, nowMs, 'x'.repeat(now.size)));
            expect(taken).toBe(now.ahead > 0);
            if (taken) sent.push({ channel: now.channel, seq });
          }
          expect(lane.bytes).toBeLessThanOrEqual(given.maxBytes);
          for (const channel of ['a', 'b', 'c']) {
            expect(seqsSince(lane, channel, 0).length).toBeLessThanOrEqual(given.maxPerChannel);
            for (const since of [0, seq >> 1, seq]) {
              if (lane.hasLost(channel, since)) continue;
              expect(seqsSince(lane, channel, since)).toEqual(
                sent.filter((m) => m.channel === channel && m.seq > since).map((m) => m.seq),
              );
            }
          }
        }
        lane.expire(nowMs + given.maxAgeMs + 1);
        expect([lane.messages, lane.bytes]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps order over many messages, as dropped ones are cut off', () => {
    const lane = new CriticalLane({ ...wide, maxPerChannel: 300 });
    for (let seq = 1; seq <= 5_000; seq++) lane.append('a', entry(seq));
    expect(seqsSince(lane, 'a', 0)).toEqual(Array.from({ length: 300 }, (_, i) => 4_701 + i));
    expect(seqsSince(lane, 'a', 4_998)).toEqual([4_999, 5_000]);
  });

  describe('with a sequence and a time of a client', () => {
    /** Stored at 10, 20, 30 and 40; those of `a` at 1 and 3. */
    function lane(): CriticalLane {
      const filled = new CriticalLane(wide);
      for (const seq of [1, 2, 3, 4]) filled.append(seq % 2 === 1 ? 'a' : 'b', entry(seq, seq * 10));
      return filled;
    }

    it('knows when the newest was stored', () => {
      expect([new CriticalLane(wide).newestMs, lane().newestMs]).toEqual([0, 40]);
    });

    it('says that they are others where one up to the place was stored later', () => {
      expect([lane().isReplaced('a', 3, 30), lane().isReplaced('a', 4, 29)]).toEqual([false, false]);
      expect([lane().isReplaced('a', 3, 20), lane().isReplaced('a', 1, 5)]).toEqual([true, true]);
      expect([lane().isReplaced('a', 2, 20), lane().isReplaced('a', 0, 0)]).toEqual([false, false]);
      expect(lane().isReplaced('c', 9, 0)).toBe(false);
    });

    it('goes on behind those that were stored by then', () => {
      expect(['a', 'b', 'c'].map((channel) => lane().seqAt(channel, 20))).toEqual([2, 3, 4]);
      expect(['a', 'b', 'c'].map((channel) => lane().seqAt(channel, 40))).toEqual([4, 4, 4]);
      expect(lane().seqAt('a', 0)).toBe(0);
    });
  });

  it('counts messages dropped before their age, by limit, over all lanes', () => {
    const drops = { perChannel: 0, bytes: 0 };
    const limits = { maxAgeMs: 1_000, maxPerChannel: 2, maxBytes: 3 * (ENTRY_BYTES + 1) };
    const lane = new CriticalLane(limits, drops);
    for (let seq = 1; seq <= 3; seq++) lane.append('a', entry(seq));
    expect(drops).toEqual({ perChannel: 1, bytes: 0 });
    for (let seq = 4; seq <= 5; seq++) lane.append('b', entry(seq));
    expect(drops).toEqual({ perChannel: 1, bytes: 1 });
    lane.expire(5_000);
    expect(drops).toEqual({ perChannel: 1, bytes: 1 });
    const next = new CriticalLane(limits, drops);
    for (let seq = 1; seq <= 3; seq++) next.append('a', entry(seq));
    expect(drops.perChannel).toBe(2);
  });
});
