import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Slots } from './slots.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Slots', () => {
  it('gives freed slots to whoever has waited longest', async () => {
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

  it('lets nobody wait for ever, and does not give a slot to who has left', async () => {
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
