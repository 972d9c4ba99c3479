// An hour is kept and no more, of so many names and no more.
import { expect, it } from 'vitest';
import { History } from './history.ts';

const row = (n: number): { readonly n: number } => ({ n });

it('keeps the newest steps, with gaps where a name was missing', () => {
  const history = new History({ columns: ['n'], size: 3, maxNames: 10 });
  history.add(new Map([['a', row(1)]]));
  expect(history.of('a')).toEqual({ n: [1] });
  history.add(new Map());
  history.add(new Map([['a', row(3)]]));
  history.add(
    new Map([
      ['a', row(4.123_456)],
      ['b', row(9)],
    ]),
  );
  expect(history.length).toBe(3);
  expect(history.of('a')).toEqual({ n: [null, 3, 4.123] });
  expect(history.of('b')).toEqual({ n: [null, null, 9] });
  expect([history.sum('a', 'n'), history.sum('a', 'n', 1), history.sum('c', 'n')]).toEqual([
    expect.closeTo(7.123, 3),
    expect.closeTo(4.123, 3),
    0,
  ]);
});

it('forgets a name that has been gone for all of its steps', () => {
  const history = new History({ columns: ['n'], size: 2, maxNames: 10 });
  history.add(new Map([['a', row(1)]]));
  history.add(new Map());
  expect(history.names).toEqual(['a']);
  history.add(new Map());
  expect([history.names, history.of('a')]).toEqual([[], undefined]);
});

it('beyond its names keeps those that are there, and replaces those that are gone', () => {
  const history = new History({ columns: ['n'], size: 10, maxNames: 2 });
  const all = (...names: readonly string[]): Map<string, { n: number }> =>
    new Map(names.map((name) => [name, row(1)]));
  history.add(all('a', 'b', 'c'));
  expect(history.names).toEqual(['a', 'b']);
  history.add(all('b', 'c'));
  history.add(all('b', 'c'));
  expect(history.names).toEqual(['b', 'c']);
});
