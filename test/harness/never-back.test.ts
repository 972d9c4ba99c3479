import { describe, expect, it } from 'vitest';
import { expectNeverBack, NeverBack } from './never-back.ts';

const set = (version: number, more: object = {}): Record<string, unknown> => ({
  type: 'state',
  channel: 'a',
  set: { k: { version } },
  ...more,
});
const del = { type: 'state', channel: 'a', set: {}, del: ['k'] };
const snapshot = { snapshot: true };
const critical = (id: number): Record<string, unknown> => ({ type: 'critical', channel: 'a', id, data: 0 });
const reset = { type: 'gap', channel: 'a', lane: 'critical', after: 9, reset: true };

/** The faults found in these messages of one client; a string begins a new connection. */
function faults(...messages: readonly (object | 'anew' | 'resumed')[]): readonly string[] {
  const oracle = new NeverBack('a client');
  for (const message of messages) {
    if (message === 'anew' || message === 'resumed') oracle.begin(message);
    else oracle.take({ ...message });
  }
  return oracle.faults.splice(0);
}

describe('NeverBack', () => {
  it.each<[string, readonly (object | 'anew' | 'resumed')[], string]>([
    ['an older value in a tick', [set(9), set(7)], 'a k went from 9 to 7'],
    ['an older value in a snapshot', [set(9), set(7, snapshot)], 'a k went from 9 to 7 in a snapshot'],
    ['an older value across a resume', [set(9), 'resumed', set(7)], 'a k went from 9 to 7'],
    ['a deleted value that is there again', [set(9), del, set(9)], 'a k went from 9 (deleted) to 9'],
    [
      'a value that a snapshot had not',
      [set(9), { ...set(1), set: {}, ...snapshot }, set(9)],
      '(deleted) to 9',
    ],
    ['a critical message twice', [critical(3), critical(3)], 'critical id 3 of a came after 3'],
    ['critical messages out of order', [critical(3), critical(2)], 'critical id 2 of a came after 3'],
  ])('finds %s', (_, messages, fault) => {
    expect(faults(...messages)).toEqual([expect.stringContaining(fault)]);
  });

  it.each<[string, readonly (object | 'anew' | 'resumed')[]]>([
    ['the same value again', [set(9), set(9)]],
    ['a newer value after a deletion', [set(9), del, set(10)]],
    ['anything to a client that shows no position', [set(9), 'anew', set(7)]],
    [
      'an older piece of a snapshot that ends newer',
      [set(9), set(7, { ...snapshot, more: true }), set(9, snapshot)],
    ],
    ['critical messages again after a resume', [critical(3), 'resumed', critical(3)]],
    ['lower ids after a gap with reset', [critical(9), reset, critical(1)]],
    [
      'values without a version',
      [
        { ...set(9), set: { k: 9 } },
        { ...set(9), set: { k: 7 } },
      ],
    ],
  ])('accepts %s', (_, messages) => {
    expect(faults(...messages)).toEqual([]);
  });

  it('lets only a snapshot show older values of a stream that was lost', () => {
    const oracle = new NeverBack('a client');
    oracle.take(set(9));
    oracle.lost(9);
    oracle.take(set(7, snapshot));
    expect(oracle.faults).toEqual([]);
    oracle.take(set(6));
    oracle.take(set(12));
    oracle.take(set(11, snapshot));
    expect(oracle.faults.splice(0)).toHaveLength(2);
  });
});

describe('expectNeverBack', () => {
  it('fails once with all faults of all clients', () => {
    const oracle = new NeverBack('the third client');
    oracle.take(set(9));
    oracle.take(set(7));
    expect(expectNeverBack).toThrow('the third client: a k went from 9 to 7');
    expect(expectNeverBack).not.toThrow();
  });
});

it('NeverBack accepts the last version of a key that may return, but no older one', () => {
  const oracle = new NeverBack('a client');
  oracle.mayReturn('a', 'k');
  for (const message of [set(9), del, set(9), del, set(8)]) oracle.take(message);
  expect(oracle.faults.splice(0)).toEqual(['a client: a k went from 9 (deleted) to 8']);
});

it('NeverBack takes lower critical ids after the client has left the channel: the stream may be another one', () => {
  const oracle = new NeverBack('a client');
  oracle.take(critical(31));
  oracle.left(['a']);
  oracle.take(critical(5));
  expect(oracle.faults.splice(0)).toEqual([]);
});
