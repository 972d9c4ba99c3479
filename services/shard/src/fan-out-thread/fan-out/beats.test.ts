import { describe, expect, it } from 'vitest';
import { ModelMain } from '../../fakes/two-threads.ts';
import type { Connection } from '../connection/connection.ts';
import { Beats } from './beats.ts';

/** One shard thread, its beat every second, with a client of `a` that is live. */
function served(): {
  main: ModelMain;
  connection: Connection;
  beats: () => number;
  lasts: (ms: number) => void;
} {
  const main = new ModelMain(1);
  const [thread] = main.threads;
  if (thread === undefined) throw new Error('there is one thread');
  const connection = thread.connect(['a']);
  main.settle();
  return {
    main,
    connection,
    beats: () => thread.clients.get(connection)?.beats ?? 0,
    /** Time passes with a sweep every quarter of a second. */
    lasts: (ms) => {
      for (let left = ms; left > 0; left -= 250) {
        main.nowMs += 250;
        thread.fanOut.sweep();
        main.settle();
      }
    },
  };
}

describe('beats', () => {
  it('are sent on a quiet connection, one a period', () => {
    const { beats, lasts } = served();
    lasts(10_000);
    expect(beats()).toBeGreaterThanOrEqual(10);
    expect(beats()).toBeLessThanOrEqual(14);
  });

  it('are not sent while positions are', () => {
    const { main, beats, lasts } = served();
    lasts(250);
    const before = beats();
    for (let i = 0; i < 40; i++) {
      main.set('a', 'k', i);
      main.tick();
      lasts(250);
    }
    expect(beats()).toBe(before);
  });

  it('are sent to a client that is not live and gets no positions', () => {
    const { connection, beats, lasts } = served();
    connection.delivery.holdState({ fromStateSeq: 0, fromCriticalSeq: 0 }, ['a'], 0);
    // The answer to this never comes.
    connection.delivery.asked(1_000);
    const before = beats();
    lasts(3_000);
    expect(connection.delivery.state).toBe('stateHeld');
    expect(beats() - before).toBeGreaterThanOrEqual(3);
  });

  it('are one text for all clients, compressed once', () => {
    let compressed = 0;
    const beats = new Beats({
      beatMs: 1_000,
      deflate: (run) => {
        compressed++;
        return Buffer.concat([run, run]);
      },
    });
    const { connection } = served();
    const due = (): Buffer | undefined => {
      connection.beatMs = 0;
      return beats.due(connection, { positionMs: 0, nowMs: 1_000 });
    };
    expect(due()).toBe(due());
    expect(due()?.subarray(2).toString()).toBe('{"type":"beat"}');
    expect(beats.due(connection, { positionMs: 0, nowMs: 1_500 })).toBeUndefined();
    expect(compressed).toBe(1);
  });
});
