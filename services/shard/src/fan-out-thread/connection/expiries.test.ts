import { limits } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import type { Connection } from './connection.ts';
import { Expiries } from './expiries.ts';

const WALL_MS = 1_700_000_000_000;
const AFTER_MS = limits.clockToleranceMs;

function expiries(): {
  expiries: Expiries;
  closed: string[];
  add: (name: string, leftMs: number | undefined, nowMs: number) => { is: Connection; expiresInMs: unknown };
} {
  const closed: string[] = [];
  const all = new Expiries(({ session }) => closed.push(session), 5_000);
  return {
    expiries: all,
    closed,
    add: (session, leftMs, nowMs) => {
      const ticket = leftMs === undefined ? {} : { tokenExpiresS: (WALL_MS + leftMs) / 1_000 };
      // The fields that are looked at.
      const is = { session, ticket, endsS: 0 } as Connection;
      return { is, expiresInMs: all.add(is, { nowMs, wallMs: WALL_MS }) };
    },
  };
}

describe('connections with a token', () => {
  it('are closed once, within a second after the router would refuse the token', () => {
    const { expiries: all, closed, add } = expiries();
    expect(add('a', 2_000, 5_001).expiresInMs).toBe(2_000);
    add('b', 2_000, 5_900);
    add('c', 60_000, 5_900);
    all.look(7_999 + AFTER_MS);
    expect(closed).toEqual([]);
    all.look(8_000 + AFTER_MS);
    expect(closed).toEqual(['a', 'b']);
    all.look(8_500 + AFTER_MS);
    expect(closed).toHaveLength(2);
    all.look(3_600_000);
    all.look(3_700_000);
    expect(closed).toEqual(['a', 'b', 'c']);
  });
  it('are closed at the next check if the token has expired already', () => {
    const { expiries: all, closed, add } = expiries();
    all.look(99_500);
    expect(add('late', -60_000, 90_000).expiresInMs).toBe(0);
    all.look(100_000);
    expect(closed).toEqual(['late']);
  });
  it('are forgotten when they disconnect', () => {
    const { expiries: all, closed, add } = expiries();
    const gone = add('gone', 2_000, 5_000).is;
    add('stays', 2_000, 5_000);
    all.remove(gone);
    all.remove(gone);
    all.look(60_000);
    expect(closed).toEqual(['stays']);
  });
  it('are not closed without a token', () => {
    const { expiries: all, closed, add } = expiries();
    const { is, expiresInMs } = add('open', undefined, 5_000);
    all.look(Number(1e9));
    all.remove(is);
    expect([expiresInMs, closed]).toEqual([undefined, []]);
  });
});
