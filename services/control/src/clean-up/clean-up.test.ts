import type { CleanupMark } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { CleanUp } from './clean-up.ts';
import type { MarkOutcome, MessageHead, PlacedMark, StateFacts, StateStream } from './state-stream.ts';

/** A state stream of which each subject has one message; its clock is the number of the last message. */
class FakeStream implements StateStream {
  readonly messages = new Map<string, MessageHead>();
  readonly marks: CleanupMark[] = [];
  readonly log: string[] = [];
  lastSeq = 0;
  createdMs = 1;
  mark: PlacedMark = { seq: 0, timeMs: 0, mark: undefined };
  /** Messages beyond this number are refused. */
  room = Number.POSITIVE_INFINITY;
  /** Runs before a removal. */
  before: (seq: number) => void = () => undefined;

  put(key: string, isEmpty = false): number {
    this.lastSeq++;
    this.messages.delete(key);
    this.messages.set(key, { seq: this.lastSeq, timeMs: this.lastSeq, isEmpty });
    return this.lastSeq;
  }

  has(seq: number): boolean {
    return [...this.messages.values()].some((head) => head.seq === seq);
  }

  async facts(): Promise<StateFacts> {
    return { createdMs: this.createdMs, lastSeq: this.lastSeq, nowMs: this.lastSeq };
  }

  async read(
    from: { readonly seq: number; readonly max: number },
    take: (head: MessageHead) => boolean,
  ): Promise<void> {
    let count = 0;
    for (const head of [...this.messages.values()].filter(({ seq }) => seq >= from.seq)) {
      if (++count > from.max || !take(head)) return;
    }
  }

  async readMark(): Promise<PlacedMark> {
    return this.mark;
  }

  async writeMark(mark: CleanupMark, afterSeq: number): Promise<{ outcome: MarkOutcome; seq: number }> {
    if (afterSeq !== this.mark.seq) return { outcome: 'other', seq: 0 };
    if (afterSeq === 0 && this.messages.size >= this.room) return { outcome: 'full', seq: 0 };
    this.log.push(mark.busy ? 'busy' : 'settled');
    this.marks.push(mark);
    this.mark = { seq: this.put('mark'), timeMs: this.lastSeq, mark };
    return { outcome: 'kept', seq: this.mark.seq };
  }

  async remove(seq: number): Promise<boolean> {
    this.before(seq);
    this.log.push('remove');
    const found = [...this.messages].find(([, head]) => head.seq === seq);
    if (found !== undefined) this.messages.delete(found[0]);
    return found !== undefined;
  }
}

function setUp(maxRemovals = 100): { stream: FakeStream; cleanUp: CleanUp; removed: () => number } {
  const stream = new FakeStream();
  let removed = 0;
  const onRemoved = (count: number): void => {
    removed += count;
  };
  const cleanUp = new CleanUp({ stream, afterMs: 10, maxRemovals, run: 'mine', onRemoved });
  return { stream, cleanUp, removed: () => removed };
}

/** Old enough are all messages that are there. */
function age(stream: FakeStream): void {
  for (let i = 0; i < 20; i++) stream.put('clock');
}

describe('CleanUp', () => {
  it('removes old deletions, and nothing else', async () => {
    const { stream, cleanUp, removed } = setUp();
    const live = stream.put('live');
    const gone = [stream.put('a', true), stream.put('b', true)];
    age(stream);
    const young = stream.put('young', true);
    expect(await cleanUp.round()).toBe('removed');
    expect([stream.has(live), stream.has(young), ...gone.map((seq) => stream.has(seq))]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([removed(), await cleanUp.round()]).toEqual([2, 'nothing']);
    age(stream);
    expect([await cleanUp.round(), removed()]).toEqual(['removed', 3]);
  });

  it('says up to where deletions may be missing before it removes one, and how many went after it', async () => {
    const { stream, cleanUp } = setUp();
    stream.put('a', true);
    const last = stream.put('b', true);
    age(stream);
    await cleanUp.round();
    expect(stream.log).toEqual(['settled', 'busy', 'remove', 'remove', 'settled']);
    expect(stream.marks.slice(1)).toEqual([
      { floorSeq: last, run: 'mine', removed: 0, busy: true },
      { floorSeq: last, run: 'mine', removed: 2, busy: false },
    ]);
  });

  it('leaves a key that came back alone', async () => {
    const { stream, cleanUp, removed } = setUp();
    stream.put('a', true);
    age(stream);
    stream.before = () => stream.put('a');
    await cleanUp.round();
    expect([stream.messages.get('a')?.isEmpty, removed(), stream.marks.at(-1)?.removed]).toEqual([
      false,
      0,
      0,
    ]);
  });

  it('does so much a round, and says where there is more', async () => {
    const { stream, cleanUp, removed } = setUp(3);
    for (let i = 0; i < 7; i++) stream.put(`k${i}`, true);
    age(stream);
    const outcomes = [await cleanUp.round(), await cleanUp.round(), await cleanUp.round()];
    expect([outcomes, removed()]).toEqual([['more', 'more', 'removed'], 7]);
    for (let i = 0; i < 40; i++) stream.put(`live${i}`);
    age(stream);
    expect([await cleanUp.round(), await cleanUp.round()]).toEqual(['more', 'nothing']);
  });

  it('makes room for its first mark in a stream that is full', async () => {
    const { stream, cleanUp, removed } = setUp();
    for (let i = 0; i < 20; i++) stream.put(`k${i}`, true);
    age(stream);
    stream.room = stream.messages.size;
    expect([await cleanUp.round(), removed()]).toEqual(['removed', 20]);
    expect(stream.marks[0]).toEqual({ floorSeq: 20, run: 'mine', removed: 8, busy: true });
  });

  it('stands back while another control removes, and ends what one has left', async () => {
    const { stream, cleanUp } = setUp();
    stream.put('a', true);
    age(stream);
    await stream.writeMark({ floorSeq: 1, run: 'other', removed: 0, busy: true }, 0);
    expect(await cleanUp.round()).toBe('otherControl');
    expect(stream.has(1)).toBe(true);
    stream.lastSeq += 30_000;
    expect(await cleanUp.round()).toBe('removed');
    expect(stream.log.slice(1)).toEqual(['settled', 'busy', 'remove', 'settled']);
  });

  it('yields to a control that wrote a mark meanwhile', async () => {
    const { stream, cleanUp } = setUp();
    stream.put('a', true);
    age(stream);
    await cleanUp.round();
    stream.put('b', true);
    age(stream);
    await stream.writeMark({ floorSeq: 99, run: 'other', removed: 5, busy: false }, stream.mark.seq);
    expect(await cleanUp.round()).toBe('otherControl');
    expect(await cleanUp.round()).toBe('removed');
    expect(stream.marks.at(-1)).toEqual({ floorSeq: 99, run: 'mine', removed: 2, busy: false });
  });

  it('begins anew with a stream that was made anew', async () => {
    const { stream, cleanUp, removed } = setUp();
    stream.put('a', true);
    age(stream);
    await cleanUp.round();
    stream.messages.clear();
    stream.mark = { seq: 0, timeMs: 0, mark: undefined };
    stream.createdMs = 2;
    stream.lastSeq = 0;
    stream.put('b', true);
    age(stream);
    expect([await cleanUp.round(), removed(), stream.marks.at(-1)?.floorSeq]).toEqual(['removed', 2, 1]);
  });
});
