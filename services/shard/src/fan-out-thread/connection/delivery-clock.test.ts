import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryClock } from './delivery-clock.ts';

const limits = { pingMs: 1_000, pingBytes: 50_000, idlePingMs: 15_000 };

describe('the backlog', () => {
  it('is the bytes that are written and not proven: a pong proves the bytes before its ping', () => {
    const clock = new DeliveryClock(0);
    clock.written = 100;
    clock.pinged(1, 0);
    clock.written = 250;
    expect(clock.backlog).toBe(250);
    expect(clock.ponged(1, 40)).toBe(true);
    expect([clock.backlog, clock.lagMs, clock.waitingSinceMs]).toEqual([150, 40, undefined]);
  });

  it('falls by both pings if only the later one is answered', () => {
    const clock = new DeliveryClock(0);
    clock.written = 100;
    clock.pinged(1, 0);
    clock.written = 300;
    clock.pinged(2, 1_000);
    expect([clock.canPing, clock.waitingSinceMs]).toEqual([false, 0]);
    expect(clock.ponged(2, 1_500)).toBe(true);
    expect([clock.backlog, clock.lagMs, clock.canPing]).toEqual([0, 500, true]);
    // The earlier one comes late: it proves nothing new, and takes nothing back.
    expect(clock.ponged(1, 1_600)).toBe(false);
    expect(clock.backlog).toBe(0);
  });

  it('falls ping by ping if both are answered in order', () => {
    const clock = new DeliveryClock(0);
    clock.written = 100;
    clock.pinged(1, 0);
    clock.written = 300;
    clock.pinged(2, 1_000);
    clock.ponged(1, 1_200);
    expect([clock.backlog, clock.waitingSinceMs, clock.canPing]).toEqual([200, 1_000, true]);
    clock.ponged(2, 1_300);
    expect([clock.backlog, clock.lagMs]).toEqual([0, 300]);
  });

  it('ignores a pong that answers no ping', () => {
    const clock = new DeliveryClock(0);
    clock.written = 100;
    expect(clock.ponged(0, 5)).toBe(false);
    clock.pinged(7, 10);
    for (const counter of [0, 6, 8, -1, Number.NaN]) expect(clock.ponged(counter, 20)).toBe(false);
    clock.ponged(7, 20);
    expect(clock.ponged(7, 30)).toBe(false);
    expect([clock.backlog, clock.lagMs]).toEqual([0, 10]);
  });

  it('is never negative, never falls without a pong, and never exceeds the written bytes', () => {
    const step = fc.oneof(
      fc.record({ write: fc.nat(5_000) }),
      fc.record({ pong: fc.nat(40) }),
      fc.record({ waitMs: fc.nat(3_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const clock = new DeliveryClock(0);
        const unanswered: { counter: number; written: number }[] = [];
        let counter = 0;
        let nowMs = 0;
        let acked = 0;
        for (const now of steps) {
          if ('waitMs' in now) nowMs += now.waitMs;
          else if ('write' in now) {
            const due = clock.pingDue(nowMs, now.write, limits);
            clock.written += now.write;
            if (due) {
              clock.pinged(++counter, nowMs);
              unanswered.push({ counter, written: clock.written });
            }
          } else {
            const at = unanswered.findIndex((ping) => ping.counter === now.pong);
            expect(clock.ponged(now.pong, nowMs)).toBe(at >= 0);
            if (at >= 0) acked = unanswered.splice(0, at + 1).at(-1)?.written ?? acked;
          }
          expect(clock.backlog).toBe(clock.written - acked);
          expect(unanswered.length).toBeLessThanOrEqual(2);
          expect(clock.canPing).toBe(unanswered.length < 2);
          expect(clock.waitingSinceMs === undefined).toBe(unanswered.length === 0);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a pong', () => {
  it('measures the bytes that arrived since its ping was sent, and their time', () => {
    const clock = new DeliveryClock(0);
    clock.begin(1_000);
    clock.written = 14;
    clock.pinged(1, 1_000, 'ahead');
    clock.written = 10_000;
    clock.pinged(2, 1_000);
    clock.written = 20_000;
    clock.pinged(3, 1_050, 'full');
    clock.ponged(1, 1_100);
    expect([clock.provenBytes, clock.provenMs, clock.provenAhead, clock.provenFull]).toEqual([
      14,
      100,
      true,
      false,
    ]);
    clock.written = 30_000;
    clock.pinged(4, 1_110, 'full');
    // The second one's answer is lost: the third proves its bytes, too.
    clock.ponged(3, 1_200);
    expect([clock.provenBytes, clock.provenMs, clock.provenAhead, clock.provenFull]).toEqual([
      20_000,
      200,
      false,
      true,
    ]);
    clock.ponged(4, 1_250);
    expect([clock.provenBytes, clock.provenMs, clock.backlog]).toEqual([29_986, 150, 0]);
  });

  it('does not count idle time before a write as delivery', () => {
    const clock = new DeliveryClock(0);
    clock.begin(60_000);
    clock.written = 1_000;
    // What is under way goes on: this is no beginning.
    clock.begin(60_010);
    clock.pinged(1, 60_010);
    clock.ponged(1, 60_100);
    expect([clock.provenBytes, clock.provenMs]).toEqual([1_000, 100]);
  });
});

describe('a ping', () => {
  it('can be one of sixteen unanswered within a window, and of two otherwise', () => {
    const clock = new DeliveryClock(0);
    for (let counter = 1; counter <= 16; counter++) {
      expect([clock.canPing, clock.canPingInWindow]).toEqual([counter <= 2, true]);
      clock.written += 10;
      clock.pinged(counter, counter);
    }
    expect(clock.canPingInWindow).toBe(false);
    clock.ponged(15, 100);
    expect([clock.canPing, clock.backlog, clock.waitingSinceMs]).toEqual([true, 10, 16]);
  });

  it('is due after enough bytes, after enough time with data, or after long quiet', () => {
    const clock = new DeliveryClock(0);
    expect(clock.pingDue(0, 49_999, limits)).toBe(false);
    expect(clock.pingDue(0, 50_000, limits)).toBe(true);
    expect(clock.pingDue(999, 1, limits)).toBe(false);
    expect(clock.pingDue(1_000, 1, limits)).toBe(true);
    expect(clock.pingDue(14_999, 0, limits)).toBe(false);
    expect(clock.pingDue(15_000, 0, limits)).toBe(true);
  });

  it('counts the bytes since the last ping, answered or not', () => {
    const clock = new DeliveryClock(0);
    clock.written = 40_000;
    clock.pinged(1, 0);
    clock.ponged(1, 10);
    clock.written += 30_000;
    expect(clock.pingDue(100, 19_999, limits)).toBe(false);
    expect(clock.pingDue(100, 20_000, limits)).toBe(true);
  });

  it('is repeated once without an answer, after a second or four round trips', () => {
    const clock = new DeliveryClock(0);
    clock.pinged(1, 0);
    expect(clock.pingDue(999, 1_000_000, limits)).toBe(false);
    expect(clock.pingDue(1_000, 0, limits)).toBe(true);
    clock.pinged(2, 1_000);
    expect(clock.pingDue(1_000_000, 1_000_000, limits)).toBe(false);

    const far = new DeliveryClock(0);
    far.pinged(1, 0);
    far.ponged(1, 600);
    far.pinged(2, 2_000);
    expect(far.pingDue(4_399, 1_000, limits)).toBe(false);
    expect(far.pingDue(4_400, 1_000, limits)).toBe(true);
  });
});
