// Publishes stamped messages by HTTP, evenly over each second. Waits for each answer, so that it does not flood a slow
// publisher: what is late by more than three turns is not made up for.
import { randomBytes } from 'node:crypto';
import type { LoadArguments } from './arguments.ts';
import type { Counts } from './counts.ts';
import type { Place } from './stamps.ts';
import { stamp } from './stamps.ts';

/** Keys that are written in turn: as many as a lobby has. */
const KEYS = 50;
const TURNS_PER_SECOND = 10;
const TURN_MS = 1_000 / TURNS_PER_SECOND;
/** What was due this many turns ago is not sent any more. */
const MOST_TURNS = 3;
const PATIENCE_MS = 5_000;
/** Half of what a publisher takes in one request by default. */
const MAX_BATCH = 500;

export class StampPublisher {
  readonly #publish: NonNullable<LoadArguments['publish']>;
  readonly #channels: readonly string[];
  readonly #counts: Counts;
  #turn = 0;
  #sent = 0;
  #startMs = 0;
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
    this.#startMs = performance.now();
    this.#timer = setInterval(() => this.#next(), TURN_MS);
  }

  /** Resolves when the last answer is counted. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#drop(this.#due(this.#turnNow()));
    await this.#sending;
  }

  #turnNow(): number {
    return Math.floor((performance.now() - this.#startMs) / TURN_MS);
  }

  /** State messages of a channel that are due after so many turns. */
  #due(turns: number): number {
    return Math.round((this.#publish.perSecond * turns) / TURNS_PER_SECOND);
  }

  /** Of what is due, what is too late to be sent counts as missed. */
  #drop(due: number): void {
    const oldest = Math.max(this.#sent, due - this.#due(MOST_TURNS));
    this.#counts.publishMissed += (oldest - this.#sent) * this.#channels.length;
    this.#sent = oldest;
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
    const turn = this.#turnNow();
    const isNewSecond = Math.floor(turn / TURNS_PER_SECOND) > Math.floor(this.#turn / TURNS_PER_SECOND);
    this.#turn = turn;
    const due = this.#due(turn);
    this.#drop(due);
    const messages: object[] = [];
    const data = stamp(Date.now());
    for (; this.#sent < due; this.#sent++)
      for (const channel of this.#channels)
        messages.push({ lane: 'state', channel, key: `load-${this.#sent % KEYS}`, data });
    if (isNewSecond) {
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
