// Publishes stamped messages by HTTP, evenly over each second. Waits for each answer, so that it does not flood a slow
// publisher: missed messages are not made up for.
import { randomBytes } from 'node:crypto';
import type { LoadArguments } from './arguments.ts';
import type { Counts } from './counts.ts';
import type { Place } from './stamps.ts';
import { stamp } from './stamps.ts';

/** Keys that are written in turn: as many as a lobby has. */
const KEYS = 50;
const TURNS_PER_SECOND = 10;
const PATIENCE_MS = 5_000;
/** Half of what a publisher takes in one request by default. */
const MAX_BATCH = 500;

export class StampPublisher {
  readonly #publish: NonNullable<LoadArguments['publish']>;
  readonly #channels: readonly string[];
  readonly #counts: Counts;
  #turn = 0;
  #sent = 0;
  readonly #run = randomBytes(6).toString('hex');
  #numbers = 0;
  /** Of the numbers: one that may not have been kept ends a series. */
  #series = 0;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(publish: NonNullable<LoadArguments['publish']>, channels: readonly string[], counts: Counts) {
    this.#publish = publish;
    this.#channels = channels;
    this.#counts = counts;
  }

  start(): void {
    this.#timer = setInterval(() => this.#next(), 1_000 / TURNS_PER_SECOND);
  }

  /** Resolves when the last answer is counted. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
  }

  #next(): void {
    if (this.#sending !== undefined) return;
    const messages = this.#messages();
    if (messages.length === 0) return;
    this.#sending = this.#sendAll(messages).finally(() => {
      this.#sending = undefined;
    });
  }

  #messages(): readonly object[] {
    this.#turn++;
    const due = Math.round((this.#publish.perSecond * this.#turn) / TURNS_PER_SECOND);
    const messages: object[] = [];
    const data = stamp(Date.now());
    for (; this.#sent < due; this.#sent++)
      for (const channel of this.#channels)
        messages.push({ lane: 'state', channel, key: `load-${this.#sent % KEYS}`, data });
    if (this.#turn % TURNS_PER_SECOND === 0) {
      this.#numbers++;
      for (const channel of this.#channels)
        messages.push({ lane: 'critical', channel, data: stamp(Date.now(), this.#place()) });
    }
    return messages;
  }

  #place(): Place {
    return { n: this.#numbers, run: this.#run, series: this.#series };
  }

  async #sendAll(messages: readonly object[]): Promise<void> {
    for (let from = 0; from < messages.length; from += MAX_BATCH)
      await this.#send(messages.slice(from, from + MAX_BATCH));
  }

  async #send(messages: readonly object[]): Promise<void> {
    const { url, apiKey } = this.#publish;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
        },
        body: JSON.stringify(messages),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const answer: unknown = await response.json();
      if (!response.ok)
        this.#counts.publishProblem = `${response.status} ${JSON.stringify(answer).slice(0, 200)}`;
      const kept =
        typeof answer === 'object' && answer !== null && 'kept' in answer && typeof answer.kept === 'number'
          ? answer.kept
          : 0;
      this.#count(kept, messages.length);
    } catch (error) {
      this.#counts.publishProblem = problemOf(error);
      this.#count(0, messages.length);
    }
  }

  #count(kept: number, of: number): void {
    this.#counts.published += kept;
    this.#counts.publishFailed += of - kept;
    if (kept < of) this.#series++;
  }
}

/** The cause of an error: its own message (`fetch failed`) says nothing. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
