import { expect, it } from 'vitest';
import type { Heads, ToThread } from '../../port/messages.ts';
import { Doubts } from './doubts.ts';

it('Doubts are answered as soon as it is known how far the streams go, once for each thread', () => {
  let heads: Heads | undefined;
  const posted: string[] = [];
  const thread = (index: number): { index: number; post: (message: ToThread) => void } => ({
    index,
    post: ({ type }) => void posted.push(`${index} ${type}`),
  });
  const doubts = new Doubts(() => heads);
  for (const index of [0, 1, 0]) doubts.ask(thread(index));
  doubts.answer();
  expect(posted).toEqual([]);
  heads = { stateEpoch: 'a', stateSeq: 1, criticalEpoch: 'b', criticalSeq: 1, stateMs: 1, criticalMs: 1 };
  doubts.answer();
  doubts.answer();
  doubts.ask(thread(1));
  expect(posted).toEqual(['0 judge', '1 judge', '1 judge']);
});
