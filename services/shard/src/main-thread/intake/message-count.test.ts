import { describe, expect, it } from 'vitest';
import type { Cleanup } from '../lanes/state-lane.ts';
import { MessageCount } from './message-count.ts';

const at = (
  messages: number | undefined,
  lastSeq = 100,
): { messages: number | undefined; lastSeq: number } => ({
  messages,
  lastSeq,
});
const removals = (removed: number, busy = false, run = 'one'): Cleanup => ({
  seq: 50,
  floorSeq: 0,
  run,
  removed,
  busy,
});
/** A count that knows of so many messages up to 100. */
function counted(messages: number, o: { latestOnly: boolean; mark?: Cleanup }): MessageCount {
  const count = new MessageCount(o);
  count.begin(100);
  count.judge(at(messages), o.mark);
  return count;
}

describe('MessageCount of a stream that keeps all messages', () => {
  const all = { latestOnly: false };

  it('reports messages that are missing without an announced removal', () => {
    const count = counted(5, all);
    expect([5, 9, 8].map((messages) => count.judge(at(messages)))).toEqual(['holds', 'holds', 'fewer']);
  });

  it('subtracts the messages that a clean-up has removed since the last look', () => {
    const count = counted(10, { ...all, mark: removals(0) });
    expect(count.judge(at(7), removals(3))).toBe('holds');
    expect(count.judge(at(6), removals(3))).toBe('fewer');
  });

  it('does not judge during a removal, and judges after it', () => {
    const count = counted(10, { ...all, mark: removals(0) });
    expect(count.judge(at(8), removals(0, true))).toBe('holds');
    expect(count.judge(at(6), removals(3))).toBe('fewer');
  });

  it('ignores a mark that is newer than the answer of the server', () => {
    const count = counted(10, { ...all, mark: removals(0) });
    expect(count.judge(at(10, 49), removals(3))).toBe('holds');
    expect(count.judge(at(7), removals(3))).toBe('holds');
  });

  it('is unclear with another run, and where a run ended in the middle', () => {
    const count = counted(10, { ...all, mark: removals(5) });
    expect(count.judge(at(7), removals(1, false, 'two'))).toBe('unclear');
    for (let i = 0; i < 6; i++) expect(count.judge(at(4), removals(1, true, 'two'))).toBe('holds');
    expect(count.judge(at(4), removals(1, true, 'two'))).toBe('unclear');
    expect(count.judge(at(3), removals(1, false, 'two'))).toBe('fewer');
  });

  it('is unclear if messages age out, and at first', () => {
    const count = counted(5, all);
    expect([count.judge(at(undefined)), count.judge(at(3)), count.judge(at(3))]).toEqual([
      'unclear',
      'unclear',
      'holds',
    ]);
    count.begin(100);
    expect(count.judge(at(1))).toBe('unclear');
  });
});

describe('MessageCount of a stream that keeps the newest of each subject', () => {
  const latest = { latestOnly: true };

  it('expects one more for each new subject, and none for others', () => {
    const count = counted(5, latest);
    count.note(101, 'new');
    count.note(102, 'known');
    count.note(103, 'new');
    expect(count.judge(at(7, 103))).toBe('holds');
  });

  it('reports a missing message before one that arrived', () => {
    const count = counted(5, latest);
    count.note(101, 'new');
    expect(count.judge(at(5, 101))).toBe('fewer');
  });

  it('counts messages after the answer of the server with the next answer', () => {
    const count = counted(5, latest);
    count.note(101, 'new');
    count.note(102, 'new');
    expect(count.judge(at(6, 101))).toBe('holds');
    expect(count.judge(at(7, 102))).toBe('holds');
  });

  it('ignores messages of the load', () => {
    const count = new MessageCount(latest);
    count.begin(3);
    for (const seq of [1, 2, 3, 4]) count.note(seq, 'new');
    expect(count.judge(at(3, 3))).toBe('unclear');
    expect(count.judge(at(4, 4))).toBe('holds');
  });

  it('is unclear once after a message whose subject may be new or not', () => {
    const count = counted(5, latest);
    count.note(101, 'unclear');
    expect([count.judge(at(5, 101)), count.judge(at(5, 101))]).toEqual(['unclear', 'holds']);
  });

  it('is unclear if there are more messages than expected, or more new subjects than it remembers', () => {
    expect(counted(5, latest).judge(at(6))).toBe('unclear');
    const count = counted(5, latest);
    for (let i = 1; i <= 10_001; i++) count.note(100 + i, 'new');
    expect(count.judge(at(10_006, 10_101))).toBe('unclear');
  });
});
