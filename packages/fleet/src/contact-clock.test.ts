import { describe, expect, it } from 'vitest';
import { createContactClock } from './contact-clock.ts';

function contact() {
  const time = { ms: 50_000 };
  const clock = createContactClock({ monotonicMs: () => time.ms, wallMs: () => 7 });
  const pass = (ms: number): void => {
    time.ms += ms;
  };
  /** Seconds in which something is heard, ten times each. */
  const listen = (seconds: number): void => {
    for (let i = 0; i < seconds * 10; i++) {
      pass(100);
      clock.heard();
    }
  };
  return { clock, pass, listen };
}

describe('the clock of the roster', () => {
  it('stands still until the first beat', () => {
    const { clock, pass } = contact();
    pass(60_000);
    expect(clock.outOfTouch).toBe(true);
    clock.heard();
    expect(clock.outOfTouch).toBe(false);
  });

  it('runs while a beat arrives every second', () => {
    const { clock, pass } = contact();
    clock.heard();
    const startedMs = clock.monotonicMs();
    for (let i = 0; i < 60; i++) {
      pass(1_000);
      expect(clock.outOfTouch).toBe(false);
      clock.heard();
    }
    expect(clock.monotonicMs() - startedMs).toBe(60_000);
  });

  it('stops without beats, before any shard is silent for 3 s', () => {
    const { clock, pass, listen } = contact();
    clock.heard();
    listen(5);
    const lastHeardMs = clock.monotonicMs();
    pass(3_600_000);
    expect(clock.outOfTouch).toBe(true);
    expect(clock.monotonicMs() - lastHeardMs).toBeLessThan(2_000);
  });

  it('continues where it stopped, once the shards have had time to reconnect', () => {
    const { clock, pass, listen } = contact();
    clock.heard();
    pass(600_000);
    const stoodAtMs = clock.monotonicMs();
    clock.heard();
    listen(4);
    expect(clock.monotonicMs()).toBe(stoodAtMs);
    listen(3);
    expect(clock.monotonicMs() - stoodAtMs).toBeCloseTo(2_000, 0);
  });

  it('never goes back', () => {
    const { clock, pass, listen } = contact();
    let lastMs = clock.monotonicMs();
    for (const gapMs of [100, 1_499, 1_501, 20_000, 10, 5_000, 900]) {
      clock.heard();
      pass(gapMs);
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(lastMs);
      lastMs = clock.monotonicMs();
      listen(1);
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(lastMs);
      lastMs = clock.monotonicMs();
    }
  });
});
