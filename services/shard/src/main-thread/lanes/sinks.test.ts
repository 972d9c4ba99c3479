import { describe, expect, it } from 'vitest';
import { CosmeticLane } from './cosmetic-lane.ts';
import type { CriticalEntry } from './critical-lane.ts';
import { CriticalLane } from './critical-lane.ts';
import { Lanes } from './lanes.ts';
import type { Loss } from './lost-state.ts';
import { LostState } from './lost-state.ts';
import type { CheckedMessage } from './message.ts';
import { criticalSink, stateSink } from './sinks.ts';
import { StateLane } from './state-lane.ts';

const makeState = (): StateLane => new StateLane({ maxKeys: 100, maxBytes: 10_000, deletionMs: 1_000 });
const makeCritical = (): CriticalLane =>
  new CriticalLane({ maxAgeMs: 1_000, maxPerChannel: 100, maxBytes: 100_000 });

function newLanes(): Lanes {
  return new Lanes(makeState(), makeCritical(), new CosmeticLane({ maxPerTick: 1, maxBytesPerTick: 1 }));
}

/** The server's clock is 900,000 ahead of this process's monotonic one. */
const AHEAD_MS = 900_000;
const RAW = { subject: '', data: new Uint8Array() };
const facts = { firstSeq: 1, hadMs: 0, agesOut: false, maxPerSubject: 100 };

function set(seq: number, key: string, value: string | undefined, timeMs = 0): CheckedMessage {
  return { lane: 'state', channel: 'a', key, value, seq, timeMs, ...RAW };
}

describe('stateSink', () => {
  function setUp(): {
    lanes: Lanes;
    sink: ReturnType<typeof stateSink>;
    clock: { nowMs: number };
    loads: { count: number };
    lost: LostState;
    losses: Loss[];
  } {
    const lanes = newLanes();
    const clock = { nowMs: 5_000 };
    const loads = { count: 0 };
    const losses: Loss[] = [];
    const lost = new LostState({ maxKeys: 100, maxBytes: 10_000, keepMs: 1_000, ratio: 0.1 });
    const sink = stateSink({
      lanes,
      lost,
      onLost: (loss) => losses.push(loss),
      make: makeState,
      nowMs: () => clock.nowMs,
      onLoaded: () => {
        loads.count++;
      },
    });
    return { lanes, sink, clock, loads, lost, losses };
  }

  it('serves the old lane until the new one is complete', () => {
    const { lanes, sink, loads } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(1, 'x', '1'));
    expect([lanes.state.keys, lanes.stateEpoch, loads.count]).toEqual([0, '0', 0]);
    sink.loaded(4);
    expect([lanes.state.keys, lanes.stateEpoch, lanes.state.seq, loads.count]).toEqual([1, 'one', 4, 1]);

    sink.begin('two', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(1, 'y', '2'));
    expect([lanes.state.log('a').get('x'), lanes.stateEpoch]).toEqual(['1', 'one']);
    sink.loaded(1);
    expect([lanes.state.log('a').get('x'), lanes.state.log('a').get('y')]).toEqual([undefined, '2']);
    expect([lanes.stateEpoch, lanes.state.seq, loads.count]).toEqual(['two', 1, 2]);
  });

  it('restarts after a load that failed half-way', () => {
    const { lanes, sink } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(1, 'half', '1'));
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(2, 'whole', '2'));
    sink.loaded(2);
    expect([lanes.state.log('a').get('half'), lanes.state.log('a').get('whole')]).toEqual([undefined, '2']);
  });

  it('adds messages to the lane, and skips refused ones', () => {
    const { lanes, sink, loads } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.loaded(0);
    expect(sink.take(set(1, 'x', '1'))).toBe('new');
    sink.skip(set(2, 'x', undefined, AHEAD_MS));
    expect([lanes.state.seq, lanes.state.log('a').get('x'), loads.count]).toEqual([2, '1', 1]);
    expect(lanes.state.takeDirty().map(({ channel }) => channel)).toEqual(['a']);
  });

  it('says whether a key is new to the stream, also for what it ignores', () => {
    const { sink } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    expect(sink.take(set(1, 'old', undefined, AHEAD_MS - 5_000))).toBe('new');
    sink.loaded(1);
    expect([sink.take(set(2, 'x', '1')), sink.take(set(3, 'x', '2'))]).toEqual(['new', 'known']);
    expect([sink.take(set(3, 'x', '2')), sink.take(set(3, 'y', '2'))]).toEqual(['known', 'new']);
    const mark = { run: 'r', removed: 1, floorSeq: 1, busy: false, seq: 4 };
    expect([sink.cleanedUp?.(mark, 0), sink.cleanedUp?.({ ...mark, seq: 5 }, 0)]).toEqual(['new', 'known']);
  });

  it('says where the lane is full', () => {
    const { sink } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.loaded(0);
    expect(sink.take(set(1, 'x', 'v'.repeat(20_000)))).toBe('full');
  });

  it('judges the age of loaded deletions by the clock of the server that kept them', () => {
    const { lanes, sink } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(1, 'old', undefined, AHEAD_MS - 1_001));
    sink.take(set(2, 'new', undefined, AHEAD_MS - 999));
    sink.loaded(2);
    expect([lanes.state.log('a').deletions, lanes.state.log('a').floorSeq]).toEqual([1, 1]);
    // Nothing of a load is told by a tick: connections begin with a snapshot.
    expect(lanes.state.takeDirty()).toEqual([]);
  });

  it('keeps what another epoch has lost until it is there again', () => {
    const { sink, lost, losses } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    for (const [at, key] of ['x', 'y', 'z'].entries()) sink.take(set(at + 1, key, String(at)));
    sink.loaded(3);
    expect(losses).toEqual([]);
    sink.begin('two', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(1, 'y', '10'));
    sink.loaded(1);
    expect(losses).toEqual([{ lost: 2, of: 3, kept: 2 }]);
    sink.take(set(2, 'x', '11'));
    expect([...lost.entries()]).toEqual([{ channel: 'a', key: 'z', value: '2' }]);
    sink.take(set(3, 'z', undefined));
    expect(lost.keys).toBe(0);
  });

  it('counts a deletion that the new epoch remembers as no loss', () => {
    const { sink, losses } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(1, 'x', '1', AHEAD_MS));
    sink.loaded(1);
    sink.begin('two', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(set(2, 'x', undefined, AHEAD_MS - 500));
    sink.loaded(2);
    expect(losses).toEqual([]);
  });

  it('does nothing on an end without a beginning', () => {
    const { loads, sink } = setUp();
    sink.loaded(9);
    expect(loads.count).toBe(0);
  });
});

describe('criticalSink', () => {
  function setUp(maxAgeMs = 1_000): {
    lanes: Lanes;
    sink: ReturnType<typeof criticalSink>;
    clock: { nowMs: number };
    news: CriticalEntry[];
    loads: { afterSeq: number; sinceSeq: number }[];
    losses: number[];
    unread: string[];
  } {
    const lanes = newLanes();
    const clock = { nowMs: 5_000 };
    const news: CriticalEntry[] = [];
    const loads: { afterSeq: number; sinceSeq: number }[] = [];
    const losses: number[] = [];
    const unread: string[] = [];
    const sink = criticalSink({
      lanes,
      make: () => new CriticalLane({ maxAgeMs, maxPerChannel: 100, maxBytes: 100_000 }),
      nowMs: () => clock.nowMs,
      onNews: (_channel, entry) => news.push(entry),
      beforeLost: () => unread.push(`told up to ${lanes.critical.seq}`),
      onUnread: (channels) => unread.push(`${lanes.critical.seq} of ${channels ?? 'any'}`),
      onLoaded: (where) => loads.push(where),
      onLost: (messages) => losses.push(messages),
    });
    return { lanes, sink, clock, news, loads, losses, unread };
  }

  const message = (seq: number, timeMs: number): CheckedMessage => ({
    lane: 'critical',
    channel: 'a',
    key: '',
    value: `${seq}`,
    seq,
    timeMs,
    ...RAW,
  });

  it('tells what it has read before it tells of messages that are gone unread', () => {
    const { lanes, sink, unread } = setUp();
    sink.begin('one', { ...facts, firstSeq: 1, serverNowMs: 0 });
    sink.take(message(1, 1));
    sink.lost?.(4, undefined);
    sink.take(message(5, 2));
    sink.loaded(5);
    expect([unread, lanes.critical.hasLost('a', 3), lanes.critical.hasLost('a', 4)]).toEqual([
      [],
      true,
      false,
    ]);
    sink.lost?.(7, ['a']);
    expect(unread).toEqual(['told up to 5', '7 of a']);
    expect([lanes.critical.hasLost('a', 6), lanes.critical.hasLost('b', 6)]).toEqual([true, false]);
  });

  it('announces no loaded message, and every later one', () => {
    const { lanes, sink, news, loads } = setUp();
    sink.begin('one', { ...facts, firstSeq: 3, serverNowMs: AHEAD_MS });
    sink.take(message(3, AHEAD_MS - 10));
    sink.loaded(4);
    expect([news, loads, lanes.criticalEpoch]).toEqual([[], [{ afterSeq: 0, sinceSeq: 2 }], 'one']);
    expect([lanes.critical.hasLost('a', 1), lanes.critical.hasLost('a', 2)]).toEqual([true, false]);
    sink.take(message(5, AHEAD_MS));
    expect(news).toEqual([{ seq: 5, value: '5', timeMs: 5_000, storedMs: AHEAD_MS }]);
    sink.take(message(5, AHEAD_MS));
    expect(news).toHaveLength(1);
    sink.skip(message(6, AHEAD_MS));
    expect(lanes.critical.seq).toBe(6);
  });

  it('gives clients of another epoch the messages that are newer than the old epoch', () => {
    const { sink, news, loads } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.loaded(0);
    sink.take(message(1, AHEAD_MS + 10));
    sink.take(message(2, AHEAD_MS + 20));
    // The stream was restored from a copy that has the first message, and got two more since.
    sink.begin('two', { ...facts, serverNowMs: AHEAD_MS + 100 });
    sink.take(message(1, AHEAD_MS + 10));
    sink.take(message(2, AHEAD_MS + 30));
    sink.take(message(3, AHEAD_MS + 40));
    sink.loaded(3);
    expect([news.length, loads.at(-1)]).toEqual([2, { afterSeq: 2, sinceSeq: 1 }]);
  });

  it('knows by the stream what shards had of the history before, where it was not there itself', () => {
    const { lanes, sink } = setUp();
    sink.begin('two', { ...facts, hadMs: AHEAD_MS + 20, serverNowMs: AHEAD_MS + 100 });
    for (const [i, timeMs] of [10, 20, 30, 40].entries()) sink.take(message(i + 1, AHEAD_MS + timeMs));
    sink.loaded(4);
    const { criticalSeqAt } = lanes.proofs;
    // The client had at least the first; it may have had the second.
    expect(criticalSeqAt('a', AHEAD_MS + 10)).toBe(2);
    expect(criticalSeqAt('a', AHEAD_MS + 30)).toBe(3);
  });

  it('learns later how far another shard had the history before', () => {
    const { lanes, sink } = setUp();
    sink.begin('two', { ...facts, hadMs: AHEAD_MS + 10, serverNowMs: AHEAD_MS });
    for (const [i, timeMs] of [10, 20].entries()) sink.take(message(i + 1, AHEAD_MS + timeMs));
    sink.loaded(2);
    sink.take(message(3, AHEAD_MS + 30));
    sink.take(message(4, AHEAD_MS + 40));
    const { criticalSeqAt } = lanes.proofs;
    expect(criticalSeqAt('a', AHEAD_MS + 10)).toBe(1);
    sink.hadUpTo?.(AHEAD_MS + 30);
    expect(criticalSeqAt('a', AHEAD_MS + 10)).toBe(3);
    sink.hadUpTo?.(AHEAD_MS + 5);
    expect(criticalSeqAt('a', AHEAD_MS + 10)).toBe(3);
  });

  it('gives its own clients messages that another shard had and it did not', () => {
    const { sink, loads } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.loaded(0);
    sink.take(message(1, AHEAD_MS + 10));
    sink.begin('two', { ...facts, hadMs: AHEAD_MS + 20, serverNowMs: AHEAD_MS + 100 });
    for (const [i, timeMs] of [10, 20, 30].entries()) sink.take(message(i + 1, AHEAD_MS + timeMs));
    sink.loaded(3);
    expect(loads.at(-1)).toEqual({ afterSeq: 1, sinceSeq: 1 });
    expect(sink.hadMs?.()).toBe(AHEAD_MS + 100);
  });

  it('says how many messages another epoch has lost within their time', () => {
    const { sink, clock, losses } = setUp(10_000);
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(message(1, AHEAD_MS - 5));
    sink.loaded(1);
    sink.take(message(2, AHEAD_MS + 10));
    sink.take(message(3, AHEAD_MS + 20));
    // All that there was, and one more: nothing is lost.
    sink.begin('two', { ...facts, serverNowMs: AHEAD_MS + 100 });
    for (const [seq, timeMs] of [-5, 10, 20, 30].entries()) sink.take(message(seq + 1, AHEAD_MS + timeMs));
    sink.loaded(4);
    expect(losses).toEqual([]);
    // The oldest and a new one.
    sink.begin('three', { ...facts, serverNowMs: AHEAD_MS + 200 });
    sink.take(message(1, AHEAD_MS - 5));
    sink.take(message(2, AHEAD_MS + 150));
    sink.loaded(2);
    expect(losses).toEqual([3]);
    // What is about to go by its age is not missed.
    clock.nowMs += 9_000;
    sink.begin('four', { ...facts, firstSeq: 0, serverNowMs: AHEAD_MS + 9_200 });
    sink.loaded(0);
    expect(losses).toEqual([3]);
  });

  it('loses loaded messages by the clock of the server that kept them', () => {
    const { lanes, sink } = setUp();
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.take(message(1, AHEAD_MS - 1_001));
    sink.take(message(2, AHEAD_MS - 999));
    sink.loaded(2);
    lanes.critical.expire(5_000);
    expect([lanes.critical.hasLost('a', 0), lanes.critical.hasLost('a', 1)]).toEqual([true, false]);
  });

  it('takes a channel that the stream keeps only in part as one with a loss', () => {
    const { lanes, sink } = setUp();
    sink.begin('one', { ...facts, maxPerSubject: 2, serverNowMs: AHEAD_MS });
    sink.take(message(5, AHEAD_MS));
    sink.take(message(7, AHEAD_MS));
    sink.loaded(7);
    expect([lanes.critical.hasLost('a', 3), lanes.critical.hasLost('a', 4)]).toEqual([true, false]);
  });

  it('takes a message without a value for null, and does nothing on an end without a beginning', () => {
    const { sink, news, loads } = setUp();
    sink.loaded(9);
    expect(loads).toEqual([]);
    sink.begin('one', { ...facts, serverNowMs: AHEAD_MS });
    sink.loaded(0);
    sink.take({ ...message(1, AHEAD_MS), value: undefined });
    expect(news[0]?.value).toBe('null');
  });
});
