import { describe, expect, it } from 'vitest';
import { COSMETIC_LIMIT, EventQueue } from './event-queue.ts';
import type { ChannelEvent } from './public.ts';

const critical = (id: number): ChannelEvent => ({ type: 'critical', id, data: id });
const state = (set: Record<string, unknown>, del: string[] = []): ChannelEvent => ({
  type: 'state',
  set: new Map(Object.entries(set)),
  del,
  snapshot: false,
});
const queueOf = (limit: number, ...events: ChannelEvent[]): EventQueue => {
  const queue = new EventQueue(limit, () => {});
  for (const event of events) queue.push(event);
  return queue;
};
async function drained(queue: EventQueue): Promise<ChannelEvent[]> {
  queue.end();
  const events: ChannelEvent[] = [];
  for (let next = await queue.next(); next.done !== true; next = await queue.next()) events.push(next.value);
  return events;
}

describe('the queue of an iterator', () => {
  it('conflates state, keeps critical messages in order, and alternates both', async () => {
    const events = await drained(
      queueOf(10, state({ a: 1 }), critical(1), state({ a: 2, b: 1 }), critical(2), state({}, ['b'])),
    );
    expect(events).toEqual([state({ a: 2 }, ['b']), critical(1), critical(2)]);
  });
  it('announces dropped messages once, with the last delivered id', async () => {
    const queue = queueOf(3, critical(1));
    expect(await queue.next()).toEqual({ done: false, value: critical(1) });
    for (let id = 2; id <= 9; id++) queue.push(critical(id));
    expect(await drained(queue)).toEqual([
      { type: 'gap', after: 1, reset: false, cause: 'overflow' },
      critical(7),
      critical(8),
      critical(9),
    ]);
  });
  it('keeps the reset among dropped events', async () => {
    const gap: ChannelEvent = { type: 'gap', after: 5, reset: true, cause: 'server' };
    const [first] = await drained(queueOf(1, gap, critical(1), critical(2)));
    expect(first).toEqual({ type: 'gap', after: 0, reset: true, cause: 'overflow' });
  });
  it('keeps the newest cosmetics and counts the others', async () => {
    const many = Array.from({ length: COSMETIC_LIMIT + 5 }, (_, i) => i);
    const [event] = await drained(queueOf(1, { type: 'cosmetic', data: many, dropped: 2 }));
    expect(event).toMatchObject({ dropped: 7 });
    expect(event).toHaveProperty(['data', 0], 5);
  });
  it('delivers events to waiting readers', async () => {
    const queue = queueOf(3);
    const waiting = [queue.next(), queue.next()];
    queue.push(critical(1));
    queue.push(state({ a: 1 }));
    expect(await Promise.all(waiting)).toEqual([
      { done: false, value: critical(1) },
      { done: false, value: state({ a: 1 }) },
    ]);
  });
  it('ends after the queued events, with the error once', async () => {
    const queue = queueOf(3, critical(1));
    queue.end(new Error('stopped'));
    expect((await queue.next()).value).toEqual(critical(1));
    await expect(queue.next()).rejects.toThrow('stopped');
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });
  it('tells its owner when the loop ends, and frees its events', async () => {
    let left = 0;
    const queue = new EventQueue(3, () => {
      left++;
    });
    queue.push(critical(1));
    const waiting = queue.next();
    queue.push(critical(2));
    await waiting;
    await queue.return();
    expect(left).toBe(1);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });
});
