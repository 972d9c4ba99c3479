// When to come back after a connection, or a try of one, has ended: the close-code table with its waits. Pure
// but for the memory of what was tried before. Never opens anything.
import { afterClose } from './after-close.ts';
import type { ReconnectOptions, RetryEvent } from './public.ts';

/** A connection that lived so long was a healthy one: its end does not count as a failed try. */
const HEALTHY_MS = 5_000;
/** `at once` is meant once: a second time within this is put off (tickets refused because clocks differ, say). */
const AT_ONCE_EVERY_MS = 5_000;
/** The random part of 5 s of code 4012. */
const RESTART_SPREAD_MS = 5_000;
/** A router takes 3 s to notice that a shard is gone; who was sent to a dead one comes back after that. */
const SHARD_SILENT_MS = 3_000;
const SHARD_SPREAD_MS = 5_000;

type Waits = { readonly [Name in keyof ReconnectOptions]-?: number };

/** `token`, `router` and `stream` are steps of a try; `open` is a connection that had been welcomed. */
export type Stage = RetryEvent['stage'];

export interface Ended {
  readonly stage: Stage;
  readonly code: number;
  readonly livedMs: number;
}

export class RetryPolicy {
  readonly #options: Waits;
  readonly #random: () => number;
  #failures = 0;
  #atOnceMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReconnectOptions, random: () => number) {
    // Everybody comes back at random within 8 s where a shard is killed: no second then holds a fifth of them.
    const { spreadMs = 8_000, baseMs = 1_000, capMs = 30_000 } = options;
    this.#options = { spreadMs, baseMs, capMs };
    this.#random = random;
  }

  /** How many tries and short connections have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds until the next visit to the router. Only for codes after which the client comes back. */
  delayMs(ended: Ended, nowMs: number): number {
    if (ended.livedMs >= HEALTHY_MS) this.#failures = 0;
    const after = afterClose(ended.code);
    if (after === 'router') return this.#atOnce(nowMs);
    this.#failures++;
    if (after === 'wait' && this.#failures === 1) return this.#within(RESTART_SPREAD_MS);
    // Weir's own codes of this kind ask for back-off; anything else is a broken network or a dead process.
    const broken = ended.code < 4000;
    if (broken && this.#failures === 1 && ended.stage === 'open') return this.#within(this.#options.spreadMs);
    if (broken && this.#failures <= 2 && ended.stage === 'stream') {
      return SHARD_SILENT_MS + this.#within(SHARD_SPREAD_MS);
    }
    return this.#backOff();
  }

  #atOnce(nowMs: number): number {
    const waitMs = this.#atOnceMs + AT_ONCE_EVERY_MS - nowMs;
    const delayMs = waitMs > 0 ? waitMs + this.#within(1_000) : 0;
    this.#atOnceMs = nowMs + delayMs;
    return delayMs;
  }

  #backOff(): number {
    const { baseMs, capMs } = this.#options;
    return this.#within(Math.min(capMs, baseMs * 2 ** Math.min(this.#failures, 30)));
  }

  #within(ms: number): number {
    return this.#random() * ms;
  }
}
