import { describe, expect, it } from 'vitest';
import { OnceInOrder } from './once-in-order.ts';

function client(from: number, ...events: readonly (number | 'gap')[]): OnceInOrder {
  const oracle = new OnceInOrder('a client');
  oracle.began(from);
  for (const event of events) {
    if (event === 'gap') oracle.gap();
    else oracle.got(event);
  }
  return oracle;
}

describe('OnceInOrder', () => {
  it('finds a message that comes twice, and one that comes after a later one', () => {
    expect(client(0, 1, 2, 2).faults).toEqual(['a client: 2 came twice']);
    expect(client(0, 1, 3, 2).faults).toEqual(['a client: 2 came after 3']);
  });

  it('finds messages that are missing in between and at the end', () => {
    expect(client(0, 1, 3).missing([1, 2, 3, 4])).toEqual([2, 4]);
  });

  it('expects no message from before the subscription, and none that a gap declared lost', () => {
    expect(client(2, 3).missing([1, 2, 3])).toEqual([]);
    expect(client(0, 1, 'gap', 5, 7).missing([1, 2, 3, 5, 6, 7])).toEqual([6]);
    expect(client(0, 1, 'gap').missing([1, 2])).toEqual([]);
  });
});
