import { describe, expect, it } from 'vitest';
import { Awaited } from './awaited.ts';
import { DeliveryClock } from './delivery-clock.ts';

const LOOK_MS = 250;
const PING = { pingMs: 1_000, pingBytes: 65_536, idlePingMs: 15_000 };

/** A client that gets `bytesPerSecond` ten times a second; a pong takes `roundTripMs(ms)`. */
function simulate(o: {
  readonly bytesPerSecond: number;
  readonly roundTripMs: (nowMs: number) => number;
  readonly forMs: number;
}): { readonly awaited: readonly number[]; readonly backlog: readonly number[] } {
  const clock = new DeliveryClock(0);
  const awaited = new Awaited();
  const pongs: { readonly atMs: number; readonly counter: number }[] = [];
  const seen = { awaited: [] as number[], backlog: [] as number[] };
  let counter = 0;
  for (let nowMs = 0; nowMs <= o.forMs; nowMs += 10) {
    for (const pong of pongs.filter(({ atMs }) => atMs === nowMs)) clock.ponged(pong.counter, nowMs);
    if (nowMs % 100 === 0) {
      const due = clock.pingDue(nowMs, o.bytesPerSecond / 10, PING);
      clock.written += o.bytesPerSecond / 10;
      if (due) {
        clock.pinged(++counter, nowMs);
        pongs.push({ atMs: nowMs + o.roundTripMs(nowMs), counter });
      }
    }
    if (nowMs % LOOK_MS !== 0) continue;
    seen.awaited.push(awaited.bytes(clock, nowMs));
    seen.backlog.push(clock.backlog);
  }
  return seen;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the awaited bytes', () => {
  it.each([10, 50, 200, 600, 900])(
    'is nothing of a client that is well, %i ms away, however much it gets',
    (roundTripMs) => {
      for (const bytesPerSecond of [1_000, 100_000, 2_000_000]) {
        const { awaited, backlog } = simulate({
          bytesPerSecond,
          roundTripMs: () => roundTripMs,
          forMs: 30_000,
        });
        expect(Math.max(...awaited)).toBe(0);
        expect(Math.max(...backlog)).toBeGreaterThan(0);
      }
    },
  );

  it('do not grow with distance, as the backlog does', () => {
    const at = (roundTripMs: number) =>
      simulate({ bytesPerSecond: 200_000, roundTripMs: () => roundTripMs, forMs: 30_000 });
    expect(mean(at(900).backlog)).toBeGreaterThan(2 * mean(at(10).backlog));
    expect([mean(at(900).awaited), mean(at(10).awaited)]).toEqual([0, 0]);
  });

  it('do not grow with jitter', () => {
    const roundTripMs = (nowMs: number): number => 80 + ((nowMs / 100) % 7) * 20;
    const { awaited } = simulate({ bytesPerSecond: 50_000, roundTripMs, forMs: 30_000 });
    expect(Math.max(...awaited)).toBe(0);
  });

  it('grow when nothing more reaches a healthy client, and fall when data arrives again', () => {
    const bytesPerSecond = 50_000;
    // Pings after 10 s are answered at 15 s.
    const roundTripMs = (nowMs: number): number => (nowMs < 10_000 || nowMs > 15_000 ? 50 : 15_050 - nowMs);
    const { awaited } = simulate({ bytesPerSecond, roundTripMs, forMs: 20_000 });
    const from = (ms: number): readonly number[] => awaited.slice(ms / LOOK_MS);
    expect(Math.max(...awaited.slice(0, 10_000 / LOOK_MS))).toBe(0);
    // All but what was sent within the last usual round trips.
    expect(from(14_750)[0]).toBeGreaterThan(4 * bytesPerSecond);
    expect(from(14_750)[0]).toBeLessThan(5.8 * bytesPerSecond);
    expect(Math.max(...from(17_500))).toBe(0);
  });

  it('count a client that never answers after two seconds', () => {
    const { awaited } = simulate({ bytesPerSecond: 10_000, roundTripMs: () => 1e9, forMs: 6_000 });
    expect(awaited.slice(0, 2_000 / LOOK_MS).every((bytes) => bytes === 0)).toBe(true);
    expect(awaited.at(-1)).toBeGreaterThan(10_000);
  });

  it('are zero while nothing is sent', () => {
    const { awaited } = simulate({ bytesPerSecond: 0, roundTripMs: () => 50, forMs: 20_000 });
    expect(Math.max(...awaited)).toBe(0);
  });
});
