import { describe, expect, it } from 'vitest';
import { FakePlatform } from './fakes/fake-platform.ts';
import { Pace } from './pace.ts';

function paced(gapMs = 50): { platform: FakePlatform; pace: Pace; times: number[] } {
  const platform = new FakePlatform();
  const startMs = platform.now();
  const times: number[] = [];
  return { platform, times, pace: new Pace(platform, gapMs, () => times.push(platform.now() - startMs)) };
}

describe('the pace of events', () => {
  it('announces after the messages that have arrived', () => {
    const { platform, pace, times } = paced();
    pace.request();
    pace.request();
    expect(times).toEqual([]);
    platform.turns();
    expect(times).toEqual([0]);
  });
  it('announces again after the interval, and at once if it has passed', () => {
    const { platform, pace, times } = paced();
    pace.request();
    platform.turns();
    platform.advance(10);
    pace.request();
    pace.request();
    platform.advance(1_000);
    pace.request();
    platform.turns();
    expect(times).toEqual([0, 50, 1_010]);
    expect(platform.timers).toBe(0);
  });
  it('does not depend on timers: if they are throttled, the next message does their work', () => {
    const { platform, pace, times } = paced();
    pace.request();
    platform.turns();
    pace.request();
    platform.freeze(60);
    pace.request();
    platform.turns();
    expect(times).toEqual([0, 60]);
    expect(platform.timers).toBe(0);
  });
  it('announces a thousand queued messages in a few events (case D9)', () => {
    const { platform, pace, times } = paced();
    platform.freeze(120_000);
    // 2,400 messages of a millisecond each, and a turn that the browser squeezes in after every one.
    for (let i = 0; i < 2_400; i++) {
      pace.request();
      platform.turns();
      platform.freeze(1);
    }
    expect(times.length).toBeLessThan(50);
  });
  it('stops', () => {
    const { platform, pace, times } = paced();
    pace.request();
    pace.stop();
    platform.turns();
    pace.request();
    platform.turns();
    expect(times).toEqual([]);
    expect(platform.timers).toBe(0);
  });
});
