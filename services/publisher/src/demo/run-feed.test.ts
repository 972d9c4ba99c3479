import { describe, expect, it } from 'vitest';
import type { Turn } from './run-feed.ts';
import { runFeed } from './run-feed.ts';

const message = { address: { lane: 'critical', channel: 'c' }, data: new Uint8Array(1) } as const;

/** Plays `turns` turns in a time that only passes in `sleep` and, by `sendMs`, in `send`. */
async function play({ turns, sendMs, awayTurns = 0 }: { turns: number; sendMs: number; awayTurns?: number }) {
  const startsMs: number[] = [];
  const counts: Turn[] = [];
  let nowMs = 0;
  let slept = 0;
  await runFeed({
    next: () => [message, message],
    periodMs: 500,
    ready: () => slept >= awayTurns,
    send: (messages) => {
      startsMs.push(nowMs);
      nowMs += sendMs;
      return Promise.resolve(messages.map((_, i) => (i === 0 ? { kind: 'sent' } : { kind: 'unknown' })));
    },
    sleep: (ms) => {
      nowMs += ms;
      slept += 1;
      return Promise.resolve();
    },
    monotonicMs: () => nowMs,
    stopped: () => slept >= turns,
    observe: (turn) => counts.push(turn),
  });
  return { startsMs, counts };
}

describe('runFeed', () => {
  it('plays a turn each period, however long sending takes', async () => {
    expect((await play({ turns: 4, sendMs: 120 })).startsMs).toEqual([0, 500, 1_000, 1_500]);
  });

  it('delays turns instead of piling them up if sending takes longer', async () => {
    expect((await play({ turns: 3, sendMs: 700 })).startsMs).toEqual([0, 700, 1_400]);
  });

  it('waits while NATS is away', async () => {
    expect((await play({ turns: 4, sendMs: 0, awayTurns: 2 })).startsMs).toEqual([1_000, 1_500]);
  });

  it('reports lost messages', async () => {
    expect((await play({ turns: 1, sendMs: 0 })).counts).toEqual([
      { kept: 0, duplicates: 0, sent: 1, notKept: 0, unknown: 1 },
    ]);
  });
});
