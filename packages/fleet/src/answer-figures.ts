// Answers requests for figures: at an inbox only, and at most four times a second, however many ask. Nothing is read
// and nothing is sent while no console asks.
import { isInbox } from '@weir/protocol';
import type { Figures } from './figures.ts';
import { encodeFigures } from './figures.ts';

/** The part of a NATS connection that is needed; the real one fits. */
export interface FiguresSource {
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: { readonly reply?: string }) => void },
  ): unknown;
}

export interface AnswerFiguresOptions {
  /** Resolves with the connection to NATS; rejects if the process ends before that. */
  readonly connected: Promise<FiguresSource>;
  readonly subject: string;
  readonly read: () => Promise<Figures>;
  readonly answer: (subject: string, bytes: Uint8Array) => void;
  readonly monotonicMs: () => number;
  readonly onFault: (error: unknown) => void;
}

const leastMs = 250;
/** Replies of one moment share what was read; more consoles than this are not answered. */
const maxWaiting = 16;

export function answerFigures(o: AnswerFiguresOptions): void {
  const waiting = new Set<string>();
  let readMs = Number.NEGATIVE_INFINITY;
  let bytes: Uint8Array | undefined;
  let reading = false;
  const refresh = async (): Promise<void> => {
    if (bytes !== undefined && o.monotonicMs() - readMs < leastMs) return;
    bytes = encodeFigures(await o.read());
    readMs = o.monotonicMs();
  };
  const reply = async (): Promise<void> => {
    reading = true;
    try {
      await refresh();
    } catch (error) {
      bytes = undefined;
      o.onFault(error);
    }
    reading = false;
    if (bytes !== undefined) for (const subject of waiting) o.answer(subject, bytes);
    waiting.clear();
  };
  const ask = (error: Error | null, message: { readonly reply?: string }): void => {
    const { reply: subject } = message;
    if (error !== null || subject === undefined || !isInbox(subject) || waiting.size >= maxWaiting) return;
    waiting.add(subject);
    if (!reading) void reply();
  };
  o.connected.then(
    (connection) => connection.subscribe(o.subject, { callback: ask }),
    // NATS was closed before it was ever connected: the process is ending.
    () => undefined,
  );
}
