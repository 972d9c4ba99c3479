// Publishes a recording at its own pace, waits for every acknowledgement, and stops at the first message
// that was not kept: what a replay says it did, it did.

import type { Message } from '../parse/message.ts';
import type { Parsed, TimedMessage } from '../parse/parse-message.ts';
import type { Outcome } from '../send/outcome.ts';
import type { Pace } from './pace.ts';
import type { Line, LineReader } from './read-lines.ts';
import { ReplayError } from './replay-error.ts';

export interface ReplayOptions {
  readonly open: () => Promise<LineReader>;
  readonly parse: (line: Buffer) => Parsed<TimedMessage>;
  readonly submit: (message: Message) => Promise<{ readonly outcome: Promise<Outcome> }>;
  readonly pace: Pace;
  readonly skipBad: boolean;
  readonly loop: boolean;
  /** Put before each channel: `test.` makes `test.odds.1` of `odds.1`. */
  readonly channelPrefix: string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly monotonicMs: () => number;
  readonly stopped: () => boolean;
  readonly progress: (report: ReplayReport) => void;
}

/** How far a replay is. */
export interface ReplayReport {
  readonly lines: number;
  readonly kept: number;
  readonly sent: number;
  readonly skipped: number;
  readonly rounds: number;
  /** Of the file in this round, 0 to 1. */
  readonly done: number;
}

/** Replays until the end of the file, or until `stopped`; rejects with a `ReplayError`. */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const run = new Run(options);
  do await run.round();
  while (options.loop && !options.stopped());
  return run.report();
}

class Run {
  readonly #options: ReplayOptions;
  readonly #startMs: number;
  readonly #counts = { lines: 0, kept: 0, sent: 0, skipped: 0, rounds: 0 };
  #reader: LineReader | undefined;
  #failure: ReplayError | undefined;
  /** Messages whose outcome is not known yet. */
  readonly #pending: Set<Promise<void>> = new Set();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#startMs = options.monotonicMs();
  }

  report(): ReplayReport {
    return { ...this.#counts, done: this.#reader?.progress() ?? 0 };
  }

  async round(): Promise<void> {
    const { open, progress, stopped, pace } = this.#options;
    const before = this.#counts.lines;
    this.#reader = await open();
    pace.again();
    for await (const line of this.#reader.lines) {
      if (this.#failure !== undefined || stopped()) break;
      await this.#play(line);
      progress(this.report());
    }
    await Promise.all(this.#pending);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#counts.lines === before && !stopped()) throw new ReplayError('there is no message in the file');
    this.#counts.rounds += 1;
    progress(this.report());
  }

  async #play(line: Line): Promise<void> {
    if (line.bytes?.every(isSpace)) return;
    const parsed = this.#parse(line);
    if ('problem' in parsed) {
      if (!this.#options.skipBad) {
        await Promise.all(this.#pending);
        throw new ReplayError(`line ${line.number}: ${parsed.problem} (--skip-bad goes on)`);
      }
      this.#counts.skipped += 1;
      return;
    }
    const { atMs, message } = parsed.value;
    await this.#waitUntil(this.#options.pace.due(atMs));
    if (this.#options.stopped()) return;
    const { outcome } = await this.#options.submit(message);
    this.#counts.lines += 1;
    const settled = outcome.then((known) => this.#settle(line.number, known));
    this.#pending.add(settled);
    void settled.then(() => this.#pending.delete(settled));
  }

  #parse(line: Line): { readonly value: TimedMessage } | { readonly problem: string } {
    if (line.bytes === undefined) return { problem: 'it is too long' };
    const parsed = this.#options.parse(line.bytes);
    if ('problem' in parsed) return { problem: parsed.problem.message };
    const { atMs, message } = parsed.value;
    const channel = this.#options.channelPrefix + message.address.channel;
    return { value: { atMs, message: { ...message, address: { ...message.address, channel } } } };
  }

  /** Sleeps in pieces, so that a replay can be stopped during a long pause. */
  async #waitUntil(dueMs: number): Promise<void> {
    const { sleep, monotonicMs, stopped } = this.#options;
    for (;;) {
      const waitMs = dueMs - (monotonicMs() - this.#startMs);
      if (waitMs <= 0 || stopped() || this.#failure !== undefined) return;
      await sleep(Math.min(waitMs, 200));
      this.#options.progress(this.report());
    }
  }

  #settle(line: number, outcome: Outcome): void {
    if (outcome.kind === 'kept') this.#counts.kept += 1;
    else if (outcome.kind === 'sent') this.#counts.sent += 1;
    else this.#failure ??= new ReplayError(`line ${line}: ${failureText(outcome)}`);
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

function failureText(outcome: Exclude<Outcome, { kind: 'kept' | 'sent' }>): string {
  if (outcome.kind === 'refused') return `NATS refused it: ${outcome.message}`;
  return outcome.kind === 'unavailable'
    ? 'NATS is away: it was not kept'
    : 'no acknowledgement came: it may or may not have been kept';
}
