// Who is alive: monotonic ages, bounded, and what a beat may claim.
import { describe, expect, it } from 'vitest';
import type { Beat } from './beat.ts';
import { decodeBeat, encodeBeat } from './beat.ts';
import { Roster } from './roster.ts';

const beat: Beat = {
  v: 1,
  pool: 'desktop',
  shard: 's1',
  url: 'ws://[::1]:4000',
  connections: 3,
  capacity: 10,
  backlogBytes: 0,
  egressBytesPerSecond: 0,
  loopUtilisation: 0.5,
  tickLatenessMs: 1.5,
  draining: false,
  stale: false,
  ready: true,
  revision: '',
  wallMs: 1_000,
};

class FakeClock {
  nowMs = 0;
  wall = 1_000;
  monotonicMs(): number {
    return this.nowMs;
  }
  wallMs(): number {
    return this.wall;
  }
}

describe('Roster', () => {
  const make = (maxShards = 10) => {
    const clock = new FakeClock();
    return { clock, roster: new Roster({ silentMs: 3_000, maxShards, clock }) };
  };

  it('drops a shard that is silent for longer than the limit, whatever the wall clock does', () => {
    const { clock, roster } = make();
    expect(roster.observe(beat)).toBe('new');
    clock.wall += 3_600_000;
    clock.nowMs = 3_000;
    expect(roster.list()).toHaveLength(1);
    clock.nowMs = 3_001;
    expect(roster.list()).toHaveLength(0);
  });

  it('counts tickets until the next beat', () => {
    const { roster } = make();
    roster.observe(beat);
    roster.ticketGiven('s1');
    roster.ticketGiven('nobody');
    expect(roster.list()[0]?.ticketsSinceBeat).toBe(1);
    expect(roster.observe(beat)).toBe('known');
    expect(roster.list()[0]?.ticketsSinceBeat).toBe(0);
  });

  it('lets nobody take the id of a live shard, but its successor', () => {
    const { clock, roster } = make();
    roster.observe(beat);
    const other = { ...beat, url: 'ws://evil:1' };
    expect(roster.observe(other)).toBe('taken');
    clock.nowMs = 3_001;
    expect(roster.observe(other)).toBe('new');
  });

  it('remembers no more than its bound', () => {
    const { roster } = make(1);
    roster.observe(beat);
    expect(roster.observe({ ...beat, shard: 's2' })).toBe('full');
    roster.forget('s1');
    expect(roster.observe({ ...beat, shard: 's2' })).toBe('new');
  });

  it('tells how far the clocks are apart', () => {
    const { clock, roster } = make();
    clock.wall = 500;
    roster.observe(beat);
    expect(roster.list()[0]?.skewMs).toBe(500);
  });
});

describe('beats', () => {
  it('survive the round trip', () => {
    expect(decodeBeat(encodeBeat(beat))).toEqual(beat);
  });

  it.each([
    ['capacity', 0],
    ['connections', -1],
    ['connections', 1.5],
    ['loopUtilisation', 1.1],
    ['url', 'http://x'],
    ['url', 'ws://x/?a=1'],
    ['url', 'ws://user@x'],
    ['shard', 'a.b'],
    ['pool', ''],
    ['draining', 'yes'],
    ['wallMs', null],
    ['v', 2],
  ])('with %s = %s are refused', (field, value) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...beat, [field]: value }));
    expect(decodeBeat(bytes)).toBeUndefined();
  });

  it('that are not JSON, or too large, are refused', () => {
    expect(decodeBeat(new Uint8Array([0xff]))).toBeUndefined();
    expect(decodeBeat(new TextEncoder().encode('null'))).toBeUndefined();
    expect(decodeBeat(new TextEncoder().encode(`{"x":"${'y'.repeat(3_000)}"}`))).toBeUndefined();
  });
});
