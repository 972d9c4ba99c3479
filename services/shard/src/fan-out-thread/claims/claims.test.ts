import { decodePosition, encodePosition } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelClient } from '../../fakes/two-threads.ts';
import { ModelMain } from '../../fakes/two-threads.ts';
import type { Connection } from '../connection/connection.ts';
import { Claims } from './claims.ts';

interface Scene {
  readonly main: ModelMain;
  readonly claims: Claims;
  doubts: number;
  /** A client comes back, further on than it was by so much. */
  come(ahead: { readonly state: number; readonly critical: number }): Connection;
  of(connection: Connection): ModelClient;
  judge(): void;
}

/** A thread whose only channel has two keys and one critical message; then NATS goes away. */
function scene(): Scene {
  const main = new ModelMain(1);
  const [thread] = main.threads;
  if (thread === undefined) throw new Error('there is no thread');
  main.set('a', 'x', 1);
  main.set('a', 'y', 1);
  main.critical('a');
  main.tick();
  const first = thread.connect(['a']);
  main.nowMs += 500;
  thread.settle();
  thread.fanOut.sweep();
  const position = decodePosition(thread.clients.get(first)?.position ?? '');
  if (position === undefined) throw new Error('there is no position');
  thread.disconnect(first);
  main.stale = true;
  const it: Scene = {
    main,
    doubts: 0,
    claims: new Claims({
      doubt: () => void it.doubts++,
      restart: (connection, restart) => thread.fanOut.restart(connection, restart),
    }),
    come: ({ state, critical }) => {
      const stateSeq = position.stateSeq + state;
      const criticalSeq = position.criticalSeq + critical;
      const connection = thread.connect(['a'], false, encodePosition({ ...position, stateSeq, criticalSeq }));
      it.claims.arrived(connection, thread.fanOut.heads);
      thread.settle();
      return connection;
    },
    of: (connection) => thread.clients.get(connection) as ModelClient,
    judge: () => {
      main.stale = false;
      main.tick();
      thread.settle();
      it.claims.judge(main.heads());
      thread.settle();
    },
  };
  return it;
}

describe('the position that a client claims while NATS is away', () => {
  it('is believed at first, and costs nothing if it is not beyond the shard', () => {
    const it = scene();
    const honest = it.of(it.come({ state: 0, critical: 0 }));
    expect([it.doubts, it.claims.size]).toEqual([0, 0]);
    const further = it.of(it.come({ state: 5, critical: 5 }));
    expect([it.doubts, it.claims.size]).toEqual([1, 1]);
    for (const { state, gaps } of [honest, further]) expect([state.size, gaps]).toEqual([0, []]);
  });

  it('is confirmed if the streams have reached it', () => {
    const it = scene();
    const client = it.of(it.come({ state: 1, critical: 1 }));
    it.main.set('a', 'x', 2);
    it.main.critical('a');
    it.judge();
    // The tick, and no snapshot.
    expect([client.keys('a'), client.gaps, it.claims.size]).toEqual([{ x: 2 }, [], 0]);
  });

  it('is refuted if the streams have not reached it: the client gets snapshots and the critical messages', () => {
    const it = scene();
    const client = it.of(it.come({ state: 9, critical: 9 }));
    it.main.set('a', 'x', 2);
    const id = it.main.critical('a');
    it.judge();
    expect(client.keys('a')).toEqual({ x: 2, y: 1 });
    expect(client.gaps).toEqual([{ channel: 'a', after: 10, reset: true }]);
    expect(client.ids('a').at(-1)).toBe(id);
    const next = it.main.critical('a');
    it.main.tick();
    it.main.settle();
    expect(client.ids('a').at(-1)).toBe(next);
  });

  it('is judged for each lane alone', () => {
    const it = scene();
    const state = it.of(it.come({ state: 9, critical: 0 }));
    const critical = it.of(it.come({ state: 0, critical: 9 }));
    it.judge();
    expect([state.keys('a'), state.gaps]).toEqual([{ x: 1, y: 1 }, []]);
    expect([critical.keys('a'), critical.gaps.length]).toEqual([{}, 1]);
  });

  it('is followed by a position, so that the next shard repeats no critical message', () => {
    const it = scene();
    const client = it.of(it.come({ state: 0, critical: 9 }));
    it.main.critical('a');
    const positions: string[] = [];
    client.onPosition = () => {
      if (client.gaps.length > 0) positions.push(client.position);
    };
    it.judge();
    const at = decodePosition(positions[0] ?? '');
    expect(at).toMatchObject({ criticalEpoch: it.main.heads().criticalEpoch, criticalSeq: 1 });
    // Of the state it says nothing.
    expect(at?.stateEpoch).not.toBe(it.main.heads().stateEpoch);
  });

  it('ends with the client and with the epoch', () => {
    const it = scene();
    const gone = it.come({ state: 9, critical: 9 });
    it.claims.left(gone);
    expect(it.claims.size).toBe(0);
    const client = it.of(it.come({ state: 9, critical: 0 }));
    it.main.newState();
    it.main.set('a', 'z', 1);
    it.main.tick();
    it.main.settle();
    it.judge();
    expect(client.keys('a')).toEqual({ z: 1 });
    expect(it.claims.size).toBe(0);
  });

  it('leads every client to the content of the streams', () => {
    const ahead = fc.record({ state: fc.nat({ max: 4 }), critical: fc.nat({ max: 4 }) });
    fc.assert(
      fc.property(ahead, fc.nat({ max: 4 }), fc.nat({ max: 4 }), (claim, sets, criticals) => {
        const it = scene();
        const client = it.of(it.come(claim));
        // It shows what all others would have been shown by then.
        client.state.set('a', new Map(Object.entries({ x: 100 + claim.state, y: 1 })));
        for (let i = 1; i <= sets; i++) it.main.set('a', 'x', 100 + i);
        for (let i = 0; i < criticals; i++) it.main.critical('a');
        it.judge();
        if (claim.state > 0) expect(client.keys('a')).toEqual(it.main.keys('a'));
        // What it says that it has is not sent; where that was not true, all since it came is.
        const owed = it.main.ids('a').slice(1 + (claim.critical > criticals ? 0 : claim.critical));
        expect(client.ids('a').slice(client.ids('a').length - owed.length)).toEqual(owed);
      }),
      { numRuns: 200 },
    );
  });
});
