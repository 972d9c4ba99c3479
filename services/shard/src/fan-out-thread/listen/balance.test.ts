import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sumOf } from '../../port/counts.ts';
import { acceptsMore, leastOf } from './balance.ts';

describe('threads that accept', () => {
  it.each([
    { mine: 32, least: 0, accepting: true, more: true },
    { mine: 33, least: 0, accepting: true, more: false },
    { mine: 17, least: 0, accepting: false, more: false },
    { mine: 16, least: 0, accepting: false, more: true },
    { mine: 532, least: 400, accepting: true, more: true },
    { mine: 533, least: 400, accepting: true, more: false },
    { mine: 441, least: 400, accepting: false, more: false },
    { mine: 440, least: 400, accepting: false, more: true },
  ])('with $mine clients, the least loaded with $least, accepting $accepting: $more', (row) => {
    expect(acceptsMore(row.mine, row.least, row.accepting)).toBe(row.more);
  });

  it('always include the least loaded thread', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.boolean(), (clients, accepting) => {
        expect(acceptsMore(clients, clients, accepting)).toBe(true);
      }),
    );
  });

  it('do not flap: a thread that has just changed does not change again', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), (mine, least) => {
        if (!acceptsMore(mine, least, true)) expect(acceptsMore(mine, least, false)).toBe(false);
        if (acceptsMore(mine, least, false)) expect(acceptsMore(mine + 1, least, true)).toBe(true);
      }),
    );
  });

  it('are compared only with running threads', () => {
    expect(leastOf(Int32Array.of(7, 3, 0, 9), Int32Array.of(1, 1, 0, 1))).toBe(3);
    expect(sumOf(Int32Array.of(7, 3, 0, 9))).toBe(19);
  });
});
