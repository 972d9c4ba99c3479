// Plays a feed in real time. Never queues: what cannot be sent when it is due is not sent at all.
import type { Message } from '../parse/message.ts';
import type { Outcome } from '../send/outcome.ts';

export interface FeedOptions {
  readonly next: () => readonly Message[];
  readonly periodMs: number;
  readonly send: (messages: readonly Message[]) => Promise<readonly Outcome[]>;
  /** Whether there is anybody to send to; the feed waits until then. */
  readonly ready: () => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  readonly monotonicMs: () => number;
  readonly stopped: () => boolean;
  /** After every turn: how many of its messages were kept or sent, and how many not. */
  readonly observe: (turn: { readonly kept: number; readonly lost: number }) => void;
}

/** Publishes a turn each period until `stopped`. A turn that takes longer delays the next, it never piles up. */
export async function runFeed(options: FeedOptions): Promise<void> {
  const { next, periodMs, send, ready, sleep, monotonicMs, stopped, observe } = options;
  let dueMs = monotonicMs();
  while (!stopped()) {
    if (ready()) {
      const outcomes = await send(next());
      const kept = outcomes.filter(({ kind }) => kind === 'kept' || kind === 'sent').length;
      observe({ kept, lost: outcomes.length - kept });
    }
    dueMs = Math.max(dueMs + periodMs, monotonicMs());
    await sleep(Math.max(0, dueMs - monotonicMs()));
  }
}
