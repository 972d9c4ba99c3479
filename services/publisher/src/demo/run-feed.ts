// Plays a feed in real time. Never queues: a message that cannot be sent when it is due is not sent at all.
import type { Message } from '../parse/message.ts';
import type { Outcome } from '../send/outcome.ts';

export interface FeedOptions {
  readonly next: () => readonly Message[];
  readonly periodMs: number;
  readonly send: (messages: readonly Message[]) => Promise<readonly Outcome[]>;
  /** Whether NATS is there; the feed waits until then. */
  readonly ready: () => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  readonly monotonicMs: () => number;
  readonly stopped: () => boolean;
  /** Called after every turn with the outcome of its messages. */
  readonly observe: (turn: Turn) => void;
}

/** Outcome of a turn's messages: each is counted once. */
export interface Turn {
  readonly kept: number;
  /** The stream had kept the same id shortly before, for example if two feeds play on one channel. */
  readonly duplicates: number;
  readonly sent: number;
  /** Certainly not kept. */
  readonly notKept: number;
  /** Not acknowledged: kept or not. */
  readonly unknown: number;
}

/** Publishes a turn each period until `stopped`. A turn that takes longer delays the next one; turns never pile up. */
export async function runFeed(options: FeedOptions): Promise<void> {
  const { next, periodMs, send, ready, sleep, monotonicMs, stopped, observe } = options;
  let dueMs = monotonicMs();
  while (!stopped()) {
    if (ready()) {
      observe(counted(await send(next())));
    }
    dueMs = Math.max(dueMs + periodMs, monotonicMs());
    await sleep(Math.max(0, dueMs - monotonicMs()));
  }
}

function counted(outcomes: readonly Outcome[]): Turn {
  const turn = { kept: 0, duplicates: 0, sent: 0, notKept: 0, unknown: 0 };
  for (const outcome of outcomes) {
    if (outcome.kind === 'kept' && outcome.duplicate) turn.duplicates += 1;
    else if (outcome.kind === 'refused' || outcome.kind === 'unavailable') turn.notKept += 1;
    else turn[outcome.kind] += 1;
  }
  return turn;
}
