import { expect, it } from 'vitest';
import { Sequences } from './sequences.ts';

const place = (n: number, run = 'a', series = 0) => ({ n, run, series });

it('counts missing and repeated messages of one publisher', () => {
  const sequences = new Sequences();
  expect([5, 6, 9, 9, 7].map((n) => sequences.next('c', place(n)))).toEqual([0, 0, 2, 'again', 'again']);
  expect(sequences.next('d', place(1))).toBe(0);
  sequences.forget('c');
  expect(sequences.next('c', place(20))).toBe(0);
});

it('takes nothing for lost or doubled if two publishers use one channel', () => {
  const sequences = new Sequences();
  const came = [place(40), place(1, 'b'), place(41), place(2, 'b'), place(42), place(3, 'b')];
  expect(came.map((one) => sequences.next('c', one))).toEqual([0, 0, 0, 0, 0, 0]);
});

it('takes nothing for lost that was never kept', () => {
  const sequences = new Sequences();
  expect(
    [place(1), place(2), place(4, 'a', 1), place(5, 'a', 1)].map((one) => sequences.next('c', one)),
  ).toEqual([0, 0, 0, 0]);
  expect([place(3), place(6, 'a', 1)].map((one) => sequences.next('c', one))).toEqual([0, 0]);
});

it('is bounded', () => {
  const sequences = new Sequences();
  for (let i = 0; i < 1_000; i++) sequences.next('c', place(1, `run-${i}`));
  expect(sequences.next('c', place(9, 'run-0'))).toBe(0);
  expect(sequences.next('c', place(9, 'run-999'))).toBe(7);
});
