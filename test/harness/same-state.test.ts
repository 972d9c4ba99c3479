import { expect, it } from 'vitest';
import { differences } from './same-state.ts';

const state = (keys: Readonly<Record<string, string>>) => new Map([['a', new Map(Object.entries(keys))]]);

it('finds a missing key, a key that the stream has no more, and an older value', () => {
  expect(differences(state({ x: '1', y: '2' }), state({ y: '1', z: '3' }))).toEqual([
    'a x is not there, and in the stream 1',
    'a y is 1, and in the stream 2',
    'a z is 3, and in the stream not there',
  ]);
});

it('compares only the channels that the client has', () => {
  const stream = new Map([...state({ x: '1' }), ['b', new Map([['y', '2']])]] as const);
  expect(differences(stream, state({ x: '1' }))).toEqual([]);
  expect(differences(new Map(), state({}))).toEqual([]);
});
