import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startPoll } from './poll.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('startPoll', () => {
  it('repeats, sooner after failures, and can be ended', async () => {
    const ranAt: number[] = [];
    const problems: unknown[] = [];
    let failures = 3;
    const startMs = Date.now();
    const poll = startPoll({
      run: async () => {
        ranAt.push(Date.now() - startMs);
        failures -= 1;
        if (failures >= 0) throw new Error('not yet');
      },
      everyMs: 60_000,
      retryMs: 1_000,
      onProblem: (error) => problems.push(error),
    });
    await vi.advanceTimersByTimeAsync(130_000);
    expect(ranAt).toEqual([0, 1_000, 3_000, 7_000, 67_000, 127_000]);
    expect(problems).toHaveLength(3);
    poll.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(ranAt).toHaveLength(6);
  });
});
