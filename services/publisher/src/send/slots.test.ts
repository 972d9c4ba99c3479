import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Slots } from './slots.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Slots', () => {
  it('gives freed slots to the caller that has waited longest', async () => {
    const slots = new Slots({ max: 1, waitMs: 100 });
    const order: string[] = [];
    await slots.enter();
    const waiting = ['a', 'b'].map(async (name) => {
      await slots.enter();
      order.push(name);
      slots.leave();
    });
    expect(slots.taken).toBe(1);
    slots.leave();
    await Promise.all(waiting);
    expect(order).toEqual(['a', 'b']);
    expect(slots.taken).toBe(0);
  });

  it('lets no caller wait without limit, and gives no slot to a caller that has left', async () => {
    const slots = new Slots({ max: 1, waitMs: 100 });
    await slots.enter();
    const late = slots.enter();
    vi.advanceTimersByTime(100);
    expect(await late).toBe(false);
    slots.leave();
    expect(slots.taken).toBe(0);
    expect(await slots.enter()).toBe(true);
  });
});
