import { describe, expect, it } from 'vitest';
import { MessageCount } from './message-count.ts';

const at = (
  messages: number | undefined,
  lastSeq = 100,
): { messages: number | undefined; lastSeq: number } => ({
  messages,
  lastSeq,
});
const removals = (removed: number, busy = false, run = 'one'): Parameters<MessageCount['holds']>[1] => ({
  seq: 50,
  run,
  removed,
  busy,
});

describe('MessageCount', () => {
  it('misses messages that nobody said were removed', () => {
    const count = new MessageCount();
    expect([count.holds(at(5)), count.holds(at(5)), count.holds(at(9)), count.holds(at(8))]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('expects as many fewer as a clean-up has removed since the last look', () => {
    const count = new MessageCount();
    expect(count.holds(at(10), removals(0))).toBe(true);
    expect(count.holds(at(7), removals(3))).toBe(true);
    expect(count.holds(at(6), removals(3))).toBe(false);
  });

  it('judges nothing while a removal is under way, and what is missing after it', () => {
    const count = new MessageCount();
    expect(count.holds(at(10), removals(0))).toBe(true);
    expect(count.holds(at(8), removals(0, true))).toBe(true);
    expect(count.holds(at(6), removals(3))).toBe(false);
  });

  it('judges nothing by a mark that came after what the server said', () => {
    const count = new MessageCount();
    expect(count.holds(at(10), removals(0))).toBe(true);
    expect(count.holds(at(10, 49), removals(3))).toBe(true);
    expect(count.holds(at(7), removals(3))).toBe(true);
  });

  it('begins anew with another run, and where a run ended in the middle', () => {
    const count = new MessageCount();
    expect(count.holds(at(10), removals(5))).toBe(true);
    expect(count.holds(at(7), removals(1, false, 'two'))).toBe(true);
    for (let i = 0; i < 7; i++) expect(count.holds(at(4), removals(1, true, 'two'))).toBe(true);
    expect(count.holds(at(4), removals(1, true, 'two'))).toBe(true);
    expect(count.holds(at(3), removals(1, false, 'two'))).toBe(false);
  });

  it('says nothing of a stream whose messages age out, nor of one that was loaded anew', () => {
    const count = new MessageCount();
    expect([count.holds(at(5)), count.holds(at(undefined)), count.holds(at(3))]).toEqual([true, true, true]);
    count.forget();
    expect(count.holds(at(1))).toBe(true);
  });
});
