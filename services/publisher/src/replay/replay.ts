// Publishes a recording at its own pace, waits for every acknowledgement, and stops at the first message that was not
// kept. Its counts are therefore exact.

import type { Message } from '../parse/message.ts';
import type { Parsed, TimedMessage } from '../parse/parse-message.ts';
import type { Outcome } from '../send/outcome.ts';
import type { Unit, UnitCheck, UnitDoubt } from './check-unit.ts';
import { msPerUnit } from './check-unit.ts';
import type { Pacing } from './pace.ts';
import type { Line, LineReader } from './read-lines.ts';
import { ReplayError } from './replay-error.ts';
import { idInRound } from './round-id.ts';

export interface ReplayOptions {
  /** Opens the recording from its start, once per round. */
  readonly open: () => LineReader;
  readonly parse: (line: Buffer) => Parsed<TimedMessage>;
  readonly submit: (message: Message) => Promise<{ readonly outcome: Promise<Outcome> }>;
  readonly pace: Pacing;
  readonly unit: Unit;
  readonly check: Pick<UnitCheck, 'look' | 'end'>;
  readonly skipBad: boolean;
  readonly loop: boolean;
  /** Prefix of each channel: `test.` turns `odds.1` into `test.odds.1`. */
  readonly channelPrefix: string;
  /** Part of the ids from the second round on; unique to this replay. */
  readonly run: string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly monotonicMs: () => number;
  /** Once it is true, the lines of `open` must end, even before the first line. */
  readonly stopped: () => boolean;
  readonly warn: (text: string) => void;
  readonly progress: (report: ReplayReport) => void;
}

/**
 * A replay's progress. At its end, `messages` is the sum of `kept`, `duplicates`, `sent`, `notKept` and `unknown`;
 * before, some outcomes are pending.
 */
export interface ReplayReport {
  /** Handed to NATS. */
  readonly messages: number;
  /** Stored by this replay. */
  readonly kept: number;
  /** Not stored: the stream had kept the same id shortly before. */
  readonly duplicates: number;
  /** Cosmetic: NATS has read them, no stream stores them. */
  readonly sent: number;
  /** Certainly not stored. */
  readonly notKept: number;
  /** Not acknowledged: stored or not. */
  readonly unknown: number;
  /** Bad lines. */
  readonly skipped: number;
  /** Lines read in all rounds. */
  readonly lines: number;
  /** Completed rounds. */
  readonly rounds: number;
  /** Share of the recording in this round, 0 to 1; missing if its length is unknown. */
  readonly done: number | undefined;
  /** Bytes of the recording read in this round. */
  readonly readBytes: number;
}

/**
 * Replays until the end of the recording, or until `stopped`. Rejects only with a `ReplayError`, and only when the
 * outcomes of all messages that were passed to NATS are known.
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const run = new Run(options);
  do await run.round();
  while (options.loop && !options.stopped());
  return run.report();
}

/** Why a replay must end; it becomes a `ReplayError` when the counts are final. */
class Failure {
  readonly message: string;
  readonly cause: unknown;

  constructor(message: string, cause?: unknown) {
    this.message = message;
    this.cause = cause;
  }
}

class Run {
  readonly #options: ReplayOptions;
  readonly #startMs: number;
  readonly #counts = {
    messages: 0,
    kept: 0,
    duplicates: 0,
    sent: 0,
    notKept: 0,
    unknown: 0,
    skipped: 0,
    lines: 0,
    rounds: 0,
  };
  #reader: LineReader | undefined;
  /** The first message that was not kept. */
  #failure: Failure | undefined;
  /** Messages with a pending outcome. */
  readonly #pending: Set<Promise<void>> = new Set();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#startMs = options.monotonicMs();
  }

  report(): ReplayReport {
    const { done, readBytes } = this.#reader?.progress() ?? { done: undefined, readBytes: 0 };
    return { ...this.#counts, done, readBytes };
  }

  async round(): Promise<void> {
    const { progress, stopped, pace, check } = this.#options;
    const before = this.#counts.messages;
    pace.again();
    const problem = await this.#lines();
    await Promise.all(this.#pending);
    const failure = this.#failure ?? problem;
    if (failure !== undefined) throw this.#error(failure);
    if (stopped()) return;
    this.#tell(check.end());
    if (this.#counts.messages === before)
      throw this.#error(new Failure('there is no message in the recording'));
    this.#counts.rounds += 1;
    progress(this.report());
  }

  /** Plays all lines; returns the problem of the recording, if any. */
  async #lines(): Promise<Failure | undefined> {
    const { open, progress, stopped } = this.#options;
    let number = 0;
    try {
      this.#reader = open();
      for await (const line of this.#reader.lines) {
        if (this.#failure !== undefined || stopped()) break;
        number = line.number;
        this.#counts.lines += 1;
        const problem = await this.#play(line);
        if (problem !== undefined) return problem;
        progress(this.report());
      }
    } catch (error) {
      // An input that is read while it closes may look cut off.
      if (stopped()) return undefined;
      const why = error instanceof Error ? error.message : String(error);
      return new Failure(number === 0 ? why : `after line ${number}: ${why}`, error);
    }
    return undefined;
  }

  async #play(line: Line): Promise<Failure | undefined> {
    if (line.bytes?.every(isSpace)) return undefined;
    const parsed = this.#parse(line);
    if ('problem' in parsed) {
      if (!this.#options.skipBad) {
        return new Failure(`line ${line.number}: ${parsed.problem} (--skip-bad goes on)`);
      }
      this.#counts.skipped += 1;
      return undefined;
    }
    const { at, message } = parsed.value;
    const refusal = this.#tell(this.#options.check.look(at));
    if (refusal !== undefined) return new Failure(`line ${line.number}: ${refusal}`);
    await this.#waitUntil(this.#options.pace.due(at * msPerUnit[this.#options.unit]));
    if (this.#options.stopped() || this.#failure !== undefined) return undefined;
    const { outcome } = await this.#options.submit(message);
    this.#counts.messages += 1;
    const settled = outcome.then((known) => this.#settle(line.number, known));
    this.#pending.add(settled);
    void settled.then(() => this.#pending.delete(settled));
    return undefined;
  }

  #parse(line: Line): { readonly value: TimedMessage } | { readonly problem: string } {
    if (line.bytes === undefined) return { problem: 'it is too long' };
    const parsed = this.#options.parse(line.bytes);
    if ('problem' in parsed) return { problem: parsed.problem.message };
    const { at, message } = parsed.value;
    const channel = this.#options.channelPrefix + message.address.channel;
    const address = { ...message.address, channel };
    if (message.id === undefined) return { value: { at, message: { ...message, address } } };
    const id = idInRound(message.id, { round: this.#counts.rounds + 1, run: this.#options.run });
    return { value: { at, message: { ...message, address, id } } };
  }

  /** Reports a warning; returns a refusal. */
  #tell(doubt: UnitDoubt | undefined): string | undefined {
    if (doubt === undefined) return undefined;
    if ('refusal' in doubt) return doubt.refusal;
    this.#options.warn(doubt.warning);
    return undefined;
  }

  /** Sleeps in pieces, which allows a stop during a long pause. */
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
    const counts = this.#counts;
    switch (outcome.kind) {
      case 'kept':
        if (outcome.duplicate) counts.duplicates += 1;
        else counts.kept += 1;
        return;
      case 'sent':
        counts.sent += 1;
        return;
      case 'unknown':
        counts.unknown += 1;
        break;
      case 'refused':
      case 'unavailable':
        counts.notKept += 1;
        break;
    }
    this.#failure ??= new Failure(`line ${line}: ${failureText(outcome)}`);
  }

  #error({ message, cause }: Failure): ReplayError {
    return new ReplayError(message, this.report(), { cause });
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
