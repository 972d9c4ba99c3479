import type { Position } from '@weir/protocol';
import { channelHash } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import type { LaneHeads } from './resume.ts';
import { isAhead, startOf } from './resume.ts';

const heads: LaneHeads = {
  stateEpoch: 's1',
  stateSeq: 100,
  criticalEpoch: 'c1',
  criticalSeq: 50,
  stateFloor: (channel) => (channel === 'lobby' ? 40 : 0),
  criticalLostSeq: (channel) => (channel === 'lobby' ? 20 : 0),
  stateHolds: (seq, storedMs) => storedMs === seq * 10,
  criticalReplaced: (channel, seq, storedMs) => channel === 'lobby' && storedMs !== seq * 10,
  criticalSeqAt: (_channel, storedMs) => Math.floor(storedMs / 10),
  stale: false,
};

const position: Position = {
  stateEpoch: 's1',
  stateSeq: 90,
  criticalEpoch: 'c1',
  criticalSeq: 45,
  channels: [channelHash('lobby')],
};

const fresh = { channel: 'lobby', stateSeq: 0, snapshot: true, criticalSeq: 50, gap: undefined };

describe('startOf', () => {
  it('begins a new client with a snapshot, and critical messages from now on', () => {
    expect(startOf('lobby', { position: undefined }, heads)).toEqual(fresh);
  });

  it('continues at the position, with no snapshot and no gap', () => {
    expect(startOf('lobby', { position }, heads)).toEqual({
      channel: 'lobby',
      stateSeq: 90,
      snapshot: false,
      criticalSeq: 45,
      gap: undefined,
    });
  });

  it('begins a channel with a snapshot that the position does not contain, with the requested critical messages', () => {
    expect(startOf('sports', { position }, heads)).toEqual({ ...fresh, channel: 'sports' });
    expect(startOf('sports', { position, last: 7 }, heads)).toEqual({ ...fresh, channel: 'sports', last: 7 });
    expect(startOf('lobby', { position: undefined, last: 7 }, heads)).toEqual({ ...fresh, last: 7 });
    expect(startOf('lobby', { position, last: 7 }, heads)).not.toHaveProperty('last');
  });

  it.each([
    ['of another epoch', { stateEpoch: 's0' }],
    ['ahead of this shard', { stateSeq: 101 }],
    ['below a deletion that is forgotten', { stateSeq: 39 }],
  ])('gives a snapshot where the state position is %s, and critical messages go on', (_name, change) => {
    expect(startOf('lobby', { position: { ...position, ...change } }, heads)).toMatchObject({
      stateSeq: 0,
      snapshot: true,
      criticalSeq: 45,
      gap: undefined,
    });
  });

  it('continues at a position whose messages this shard knows', () => {
    const proven = { ...position, stateMs: 900, criticalMs: 450 };
    expect(startOf('lobby', { position: proven }, heads)).toMatchObject({
      stateSeq: 90,
      criticalSeq: 45,
      gap: undefined,
    });
  });

  it('begins with a snapshot if the state message at the position is another one, or may be', () => {
    const other = { ...position, stateMs: 899, criticalMs: 450 };
    expect(startOf('lobby', { position: other }, heads)).toMatchObject({
      snapshot: true,
      criticalSeq: 45,
      gap: undefined,
    });
  });

  it('announces a gap if critical messages differ, and sends the later ones', () => {
    const other = { ...position, stateMs: 900, criticalMs: 440 };
    expect(startOf('lobby', { position: other }, heads)).toMatchObject({
      stateSeq: 90,
      criticalSeq: 44,
      gap: { after: 45, reset: true },
    });
  });

  it('sends critical messages of another epoch that were stored since the position', () => {
    const earlier = { ...position, criticalEpoch: 'c0', criticalSeq: 7_000, stateMs: 900 };
    const gap = { after: 7_000, reset: true };
    expect(startOf('lobby', { position: { ...earlier, criticalMs: 300 } }, heads)).toMatchObject({
      criticalSeq: 30,
      gap,
    });
    expect(startOf('lobby', { position: { ...earlier, criticalMs: 9e9 } }, heads)).toMatchObject({
      criticalSeq: 50,
      gap,
    });
  });

  it('accepts a position exactly at the bounds', () => {
    expect(
      startOf('lobby', { position: { ...position, stateSeq: 40, criticalSeq: 20 } }, heads),
    ).toMatchObject({
      stateSeq: 40,
      snapshot: false,
      gap: undefined,
    });
    expect(
      startOf('lobby', { position: { ...position, stateSeq: 100, criticalSeq: 50 } }, heads),
    ).toMatchObject({
      snapshot: false,
      gap: undefined,
    });
  });

  it('announces a gap if messages are out of the window, and sends the others', () => {
    expect(startOf('lobby', { position: { ...position, criticalSeq: 19 } }, heads)).toMatchObject({
      stateSeq: 90,
      snapshot: false,
      criticalSeq: 19,
      toldSeq: 20,
      gap: { after: 19, reset: false },
    });
  });

  it.each([
    ['of another epoch', { criticalEpoch: 'c0' }],
    ['of a place that the stream has not reached', { criticalSeq: 51 }],
  ])('announces a reset where the critical position is %s', (_name, change) => {
    const brought = { ...position, ...change };
    expect(startOf('lobby', { position: brought }, heads)).toMatchObject({
      stateSeq: 90,
      snapshot: false,
      criticalSeq: 50,
      gap: { after: brought.criticalSeq, reset: true },
    });
  });
});

describe('startOf while NATS is away', () => {
  it('believes a client that has more: no snapshot of older state, no reset', () => {
    const further = { ...position, stateSeq: 200, criticalSeq: 60 };
    expect(startOf('lobby', { position: further }, { ...heads, stale: true })).toEqual({
      channel: 'lobby',
      stateSeq: 200,
      snapshot: false,
      criticalSeq: 60,
      gap: undefined,
    });
  });
});

describe('isAhead', () => {
  it.each([
    ['behind', {}, false],
    ['ahead in the state lane', { stateSeq: 101 }, true],
    ['ahead in the critical lane', { criticalSeq: 51 }, true],
    ['ahead, but in another state epoch', { stateEpoch: 's0', stateSeq: 101 }, false],
    ['ahead, but in another critical epoch', { criticalEpoch: 'c0', criticalSeq: 51 }, false],
    ['of a state epoch that this shard has not seen yet', { stateEpoch: 's1-1', stateSeq: 1 }, true],
    ['of a critical epoch that this shard has not seen yet', { criticalEpoch: 'c1-1', criticalSeq: 1 }, true],
  ])('of a position that is %s', (_name, change, ahead) => {
    const named = { stateEpoch: 's1-0', criticalEpoch: 'c1-0' };
    expect(isAhead({ ...position, ...named, ...change }, { ...heads, ...named })).toBe(ahead);
  });
});
