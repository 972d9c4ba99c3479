// Who is alive: monotonic ages, bounded, and what a beat may claim.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beatOf } from './fakes/shard-entry.ts';
import { Roster } from './roster.ts';

const beat = beatOf('s1', { connections: 3, wallMs: 1_000 });

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

  it('drops a shard that is silent for longer than the limit, for any wall clock', () => {
    const { clock, roster } = make();
    expect(roster.observe(beat)).toBe('new');
    clock.wall += 3_600_000;
    clock.nowMs = 3_000;
    expect(roster.list()).toHaveLength(1);
    clock.nowMs = 3_001;
    expect(roster.list()).toHaveLength(0);
  });

  it('counts a ticket until a beat contains its connection, for two beats at most', () => {
    const { roster } = make();
    const tickets = (): number | undefined => roster.list()[0]?.ticketsSinceBeat;
    roster.observe(beat);
    for (const shard of ['s1', 's1', 's1', 'nobody']) roster.ticketGiven(shard);
    expect(tickets()).toBe(3);
    expect(roster.observe({ ...beat, connections: 4 })).toBe('known');
    expect(tickets()).toBe(2);
    roster.ticketGiven('s1');
    expect(tickets()).toBe(3);
    roster.observe({ ...beat, connections: 4 });
    expect(tickets()).toBe(1);
    roster.observe({ ...beat, connections: 4 });
    expect(tickets()).toBe(0);
  });

  it('forgets the tickets of a shard that has restarted', () => {
    const { roster } = make();
    roster.observe({ ...beat, incarnation: 'a' });
    roster.ticketGiven('s1');
    roster.observe({ ...beat, connections: 0, incarnation: 'b' });
    expect(roster.list()).toMatchObject([{ incarnation: 'b', ticketsSinceBeat: 0 }]);
  });

  it('never counts below zero, nor more tickets than were issued in two beats', () => {
    const step = fc.oneof(
      fc.constant('ticket' as const),
      fc.nat(10).map((connections) => ({ connections })),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { roster } = make();
        roster.observe(beat);
        let [before, since] = [0, 0];
        for (const one of steps) {
          if (one === 'ticket') {
            roster.ticketGiven('s1');
            since += 1;
          } else {
            roster.observe({ ...beat, ...one });
            [before, since] = [since, 0];
          }
          const counted = roster.list()[0]?.ticketsSinceBeat ?? -1;
          expect(counted >= since && counted <= before + since).toBe(true);
        }
      }),
    );
  });

  it('gives the id of a live shard only to its successor', () => {
    const { clock, roster } = make();
    roster.observe(beat);
    const other = { ...beat, url: 'ws://evil:1' };
    expect(roster.observe(other)).toBe('taken');
    clock.nowMs = 3_001;
    expect(roster.observe(other)).toBe('new');
  });

  it('has at most its maximum number of shards', () => {
    const { clock, roster } = make(1);
    roster.observe(beat);
    expect(roster.observe({ ...beat, shard: 's2' })).toBe('full');
    clock.nowMs = 3_001;
    expect(roster.observe({ ...beat, shard: 's2' })).toBe('new');
  });

  it('accepts the successor of a draining shard at once', () => {
    const { roster } = make();
    roster.observe({ ...beat, draining: true });
    expect(roster.observe({ ...beat, url: 'ws://next:1' })).toBe('known');
    expect(roster.observe({ ...beat, draining: true })).toBe('taken');
    expect(roster.list()).toMatchObject([{ url: 'ws://next:1', draining: false }]);
  });

  it('removes silent shards before it refuses a new one', () => {
    const { clock, roster } = make(1);
    roster.observe(beat);
    clock.nowMs = 3_001;
    expect(roster.observe({ ...beat, shard: 's2' })).toBe('new');
    expect(roster.list().map(({ shard }) => shard)).toEqual(['s2']);
  });

  it('numbers a later revision as the newer one, and revisions at its start alike', () => {
    const { clock, roster } = make();
    const seen = (shard: string, revision: string): void => void roster.observe({ ...beat, shard, revision });
    const orders = (): unknown => Object.fromEntries(roster.list().map((e) => [e.shard, e.revisionOrder]));
    seen('a', 'f00');
    clock.nowMs = 900;
    seen('b', 'abc');
    expect(orders()).toEqual({ a: 0, b: 0 });
    clock.nowMs = 3_500;
    seen('a', 'f00');
    seen('b', 'abc');
    seen('c', '123');
    expect(orders()).toEqual({ a: 0, b: 0, c: 1 });
    clock.nowMs = 4_000;
    seen('d', '456');
    seen('c', '123');
    expect(orders()).toEqual({ a: 0, b: 0, c: 1, d: 2 });
  });

  it('reports the difference of the clocks', () => {
    const { clock, roster } = make();
    clock.wall = 500;
    roster.observe(beat);
    expect(roster.list()[0]?.skewMs).toBe(500);
  });
});
