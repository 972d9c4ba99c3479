import { describe, expect, it } from 'vitest';
import { Redraws } from './redraws.ts';

const limits = { redrawBytesPerSecond: 1_000, redrawBurstBytes: 5_000 };
const fresh = (channels: readonly string[] = ['a']): Redraws => new Redraws(limits, channels, 0);

describe('bytes that a client draws', () => {
  it('cost nothing the first time, for any number of bytes and channels', () => {
    const redraws = fresh();
    for (const channel of ['b', 'c', 'd']) {
      expect(redraws.ask([channel], 0)).toEqual([channel]);
      expect(redraws.begin(channel)).toBe(false);
    }
    expect(redraws.waiting).toEqual([]);
  });

  it('come out of a bucket from the second time on; a subscription in debt waits until it is paid', () => {
    const redraws = fresh();
    expect([redraws.begin('a'), redraws.ask(['a'], 0)]).toEqual([true, ['a']]);
    redraws.charge(7_000);
    expect(redraws.ask(['a', 'new'], 0)).toEqual(['new']);
    expect([redraws.waiting, redraws.waitMs]).toEqual([['a'], 2_001]);
    expect(redraws.due(1_999)).toEqual([]);
    expect(redraws.due(2_001)).toEqual(['a']);
    expect(redraws.waiting).toEqual([]);
  });

  it('are not drawn if the client has unsubscribed meanwhile', () => {
    const redraws = fresh();
    redraws.charge(6_000);
    redraws.ask(['a'], 0);
    redraws.drop(['a']);
    expect([redraws.waiting, redraws.due(5_000)]).toEqual([[], []]);
  });

  it('close a client that continues, not one that waits and returns', () => {
    const redraws = fresh();
    redraws.charge(6_000);
    const askAgain = (times: number, nowMs: number): void => {
      for (let i = 0; i < times; i++) {
        redraws.ask(['a'], nowMs);
        redraws.drop(['a']);
      }
    };
    askAgain(20, 0);
    expect(redraws.persistent).toBe(false);
    // Full again.
    expect(redraws.due(10_000)).toEqual([]);
    redraws.charge(6_000);
    askAgain(20, 10_000);
    expect(redraws.persistent).toBe(false);
    askAgain(1, 10_000);
    expect(redraws.persistent).toBe(true);
  });

  it('of answers count, too', () => {
    const redraws = fresh();
    redraws.chargeAnswers(100);
    expect(redraws.ask(['a'], 0)).toEqual([]);
  });

  it('of channels beyond the memory count as repeated', () => {
    const redraws = fresh([]);
    for (let i = 0; i < 1_000; i++) expect(redraws.begin(`c${i}`)).toBe(false);
    expect(redraws.begin('one-more')).toBe(true);
  });
});
