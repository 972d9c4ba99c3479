// Publishes stamped messages by HTTP, evenly over each second. Waits for each answer, so that it does not flood a slow
// publisher: missed messages are not made up for.

import type { LoadArguments } from './arguments.ts';
import type { Counts } from './counts.ts';
import { stamp } from './stamps.ts';

/** Keys that are written in turn: as many as a lobby has. */
const KEYS = 50;
const TURNS_PER_SECOND = 10;
const PATIENCE_MS = 5_000;

export class StampPublisher {
  readonly #publish: NonNullable<LoadArguments['publish']>;
  readonly #channels: readonly string[];
  readonly #counts: Counts;
  #turn = 0;
  #sent = 0;
  #numbers = 0;
  #busy = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(publish: NonNullable<LoadArguments['publish']>, channels: readonly string[], counts: Counts) {
    this.#publish = publish;
    this.#channels = channels;
    this.#counts = counts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#next(), 1_000 / TURNS_PER_SECOND);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #next(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
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
        messages.push({ lane: 'critical', channel, data: stamp(Date.now(), this.#numbers) });
    }
    if (messages.length > 0) await this.#send(messages);
    this.#busy = false;
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
      this.#counts.published += kept;
      this.#counts.publishFailed += messages.length - kept;
    } catch (error) {
      this.#counts.publishProblem = problemOf(error);
      this.#counts.publishFailed += messages.length;
    }
  }
}

/** The cause of an error: its own message (`fetch failed`) says nothing. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
