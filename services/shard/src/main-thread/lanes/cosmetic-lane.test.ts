import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CosmeticLane } from './cosmetic-lane.ts';

describe('CosmeticLane', () => {
  it('gives a tick what came since the last one, by channel, in order', () => {
    const lane = new CosmeticLane({ maxPerTick: 10, maxBytesPerTick: 100 });
    lane.add('a', '1');
    lane.add('b', '2');
    lane.add('a', '3');
    expect(lane.take()).toEqual([
      { channel: 'a', values: ['1', '3'] },
      { channel: 'b', values: ['2'] },
    ]);
    expect(lane.take()).toEqual([]);
  });

  it('has room again after each tick', () => {
    const lane = new CosmeticLane({ maxPerTick: 2, maxBytesPerTick: 100 });
    expect(['1', '2', '3'].map((value) => lane.add('a', value))).toEqual([true, true, false]);
    lane.take();
    expect(['4', '5', '6'].map((value) => lane.add('__proto__', value))).toEqual([true, true, false]);
    expect(lane.take()).toEqual([{ channel: '__proto__', values: ['4', '5'] }]);
  });

  it('takes no more bytes than fit, and still a small one where a large one did not', () => {
    const lane = new CosmeticLane({ maxPerTick: 10, maxBytesPerTick: 10 });
    expect(['"123456"', '"1234"', '12'].map((value) => lane.add('a', value))).toEqual([true, false, true]);
  });

  it('never passes its limits, and drops nothing that it said it took', () => {
    const added = fc.array(
      fc.record({ channel: fc.constantFrom('a', 'b'), value: fc.stringMatching(/^[0-9]{1,9}$/) }),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(added, fc.nat(20), fc.nat(60), (all, maxPerTick, maxBytesPerTick) => {
        const lane = new CosmeticLane({ maxPerTick, maxBytesPerTick });
        const taken = all.filter(({ channel, value }) => lane.add(channel, value));
        const batches = lane.take();
        const got = batches.flatMap(({ channel, values }) => values.map((value) => ({ channel, value })));
        expect(got).toHaveLength(taken.length);
        for (const channel of ['a', 'b']) {
          expect(got.filter((one) => one.channel === channel)).toEqual(
            taken.filter((one) => one.channel === channel),
          );
        }
        expect(got.length).toBeLessThanOrEqual(maxPerTick);
        expect(got.reduce((sum, { value }) => sum + value.length, 0)).toBeLessThanOrEqual(maxBytesPerTick);
      }),
    );
  });
});
