import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLane, LANES } from './lanes.ts';

describe('isLane', () => {
  it.each(LANES)('knows %s', (lane) => {
    expect(isLane(lane)).toBe(true);
  });

  it('knows nothing else, whatever it is given', () => {
    const others = fc.anything().filter((value) => !LANES.some((lane) => lane === value));
    fc.assert(fc.property(others, (value) => !isLane(value)));
    for (const near of ['State', 'state ', '', '__proto__', 'live', 'ctl']) expect(isLane(near)).toBe(false);
  });
});
