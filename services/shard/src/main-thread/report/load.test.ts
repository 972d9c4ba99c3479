import { describe, expect, it } from 'vitest';
import { LoadMeter } from './load.ts';

describe('LoadMeter', () => {
  it('reports the bytes a second since the last reading', () => {
    const meter = new LoadMeter(1_000);
    expect(meter.take(3_000, 5_000).egressBytesPerSecond).toBe(2_500);
    expect(meter.take(3_500, 5_000).egressBytesPerSecond).toBe(0);
    expect(meter.take(4_500, 5_001).egressBytesPerSecond).toBe(1);
  });

  it('reports the latest tick of the period, and forgets it', () => {
    const meter = new LoadMeter(0);
    for (const lateMs of [3, 120, 7]) meter.tick(lateMs);
    expect(meter.take(1_000, 0).tickLatenessMs).toBe(120);
    expect(meter.take(2_000, 0).tickLatenessMs).toBe(0);
  });

  it('reports the use of the loop, between 0 and 1', () => {
    const meter = new LoadMeter(0);
    const { loopUtilisation } = meter.take(1_000, 0);
    expect(loopUtilisation).toBeGreaterThanOrEqual(0);
    expect(loopUtilisation).toBeLessThanOrEqual(1);
  });

  it('stays finite if it is read twice in the same moment', () => {
    const meter = new LoadMeter(0);
    const twice = [meter.take(0, 10), meter.take(0, 10)];
    for (const load of twice) expect(Object.values(load).every(Number.isFinite)).toBe(true);
  });
});
