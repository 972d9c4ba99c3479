import { describe, expect, it } from 'vitest';
import type { Ended } from './retry.ts';
import { RetryPolicy } from './retry.ts';

const healthy = (code: number): Ended => ({ stage: 'open', code, livedMs: 60_000 });
const failed = (code: number, stage: Ended['stage'] = 'router'): Ended => ({ stage, code, livedMs: 0 });
const longest = 0.999_999;
const policy = (chance: number): RetryPolicy => new RetryPolicy({}, () => chance);

describe('a reconnect after a close', () => {
  it.each([4003, 4008, 4009])('is immediate after %i', (code) => {
    expect(policy(longest).delayMs(healthy(code), 0)).toBe(0);
  });
  it('is immediate only once in 5 s (case C8)', () => {
    const retry = policy(0.5);
    const tries: number[] = [];
    for (let nowMs = 0; nowMs < 60_000; ) {
      nowMs += retry.delayMs(failed(4003, 'stream'), nowMs);
      tries.push(nowMs);
      nowMs += 40;
    }
    expect(tries.length).toBeLessThanOrEqual(13);
    tries.slice(1).forEach((atMs, i) => {
      expect(atMs - (tries[i] ?? 0)).toBeGreaterThanOrEqual(5_000);
    });
  });
  it('waits a random part of 5 s after 4012', () => {
    expect(policy(0).delayMs(healthy(4012), 0)).toBe(0);
    expect(policy(longest).delayMs(healthy(4012), 0)).toBeCloseTo(5_000, 0);
  });
  it.each([4013, 4029, 4499, 4300, 1006, 1001, 1011])(
    'backs off with full jitter up to 30 s after %i',
    (code) => {
      const retry = policy(longest);
      const waits = Array.from({ length: 8 }, () => Math.round(retry.delayMs(failed(code), 0)));
      expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
      expect(policy(0).delayMs(failed(code), 0)).toBe(0);
    },
  );
  it('resets the back-off after a healthy connection, not after one that broke at once', () => {
    const retry = policy(longest);
    retry.delayMs(failed(1006), 0);
    retry.delayMs(failed(1006), 0);
    expect(retry.delayMs({ stage: 'open', code: 1006, livedMs: 100 }, 0)).toBeCloseTo(8_000, 0);
    expect(retry.delayMs({ stage: 'open', code: 1006, livedMs: 100 }, 0)).toBeCloseTo(16_000, 0);
    expect(retry.delayMs(healthy(4013), 0)).toBeCloseTo(2_000, 0);
  });
  it('waits after an unreachable shard until the router knows', () => {
    expect(policy(0).delayMs(failed(1006, 'stream'), 0)).toBe(3_000);
    expect(policy(longest).delayMs(failed(1006, 'stream'), 0)).toBeCloseTo(8_000, 0);
  });
  it('takes its waits from the options', () => {
    const retry = new RetryPolicy({ spreadMs: 100, baseMs: 10, capMs: 30 }, () => longest);
    expect(retry.delayMs(healthy(1006), 0)).toBeCloseTo(100, 0);
    expect(retry.delayMs(failed(1006), 0)).toBeCloseTo(30, 0);
  });
});

describe('when a shard with 3,000 clients is killed (case F3)', () => {
  it('no second has a fifth of the attempts, and each client is back in 30 s with two attempts at most', () => {
    // Any generator will do that is the same tomorrow.
    let seed = 42;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    const perSecond = new Map<number, number>();
    let tries = 0;
    for (let i = 0; i < 3_000; i++) {
      const retry = new RetryPolicy({}, random);
      let atMs = retry.delayMs(healthy(1006), 0);
      const count = (): void => {
        tries++;
        perSecond.set(Math.floor(atMs / 1_000), (perSecond.get(Math.floor(atMs / 1_000)) ?? 0) + 1);
      };
      count();
      // Until the router notices, one of four shards that it chooses from is the dead one.
      if (atMs < 3_000 && random() < 0.25) {
        atMs += retry.delayMs(failed(1006, 'stream'), atMs);
        count();
      }
      expect(atMs).toBeGreaterThanOrEqual(0);
      expect(atMs).toBeLessThan(20_000);
    }
    expect(Math.max(...perSecond.values()) / tries).toBeLessThan(0.2);
  });
});
