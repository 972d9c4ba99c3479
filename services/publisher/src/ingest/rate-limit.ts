// Limits each publisher's messages and bytes per second. Uses bounded memory, however many publishers come.
import type { Clock } from '@weir/runtime';

/** The cost of a request. */
export interface Cost {
  readonly messages: number;
  readonly bytes: number;
}

interface Account {
  messages: number;
  bytes: number;
  atMs: number;
}

/**
 * Two token buckets per publisher, each for one second. A publisher that is not in debt may send a whole batch and goes
 * into debt with it. A batch may therefore be larger than a bucket, and the mean rate still holds.
 */
export class RateLimit {
  readonly #rate: Cost;
  readonly #maxPublishers: number;
  readonly #clock: Clock;
  /** Least recently seen first. */
  readonly #accounts: Map<string, Account> = new Map();

  constructor(options: { readonly perSecond: Cost; readonly maxPublishers: number; readonly clock: Clock }) {
    this.#rate = options.perSecond;
    this.#maxPublishers = options.maxPublishers;
    this.#clock = options.clock;
  }

  get publishers(): number {
    return this.#accounts.size;
  }

  /** Milliseconds until `who` may send again; 0 is now. */
  waitMs(who: string): number {
    const { messages, bytes } = this.#account(who);
    // Waits until the debt is paid back with a small margin, so a result of 0 is never a rounding error.
    const seconds = Math.max((1 - messages) / this.#rate.messages, (1 - bytes) / this.#rate.bytes);
    return Math.max(0, Math.ceil(seconds * 1000));
  }

  /** Takes the cost unless `who` is in debt. Returns the milliseconds to wait, 0 if the cost was taken. */
  take(who: string, cost: Cost): number {
    const wait = this.waitMs(who);
    if (wait > 0) return wait;
    const account = this.#account(who);
    account.messages -= cost.messages;
    account.bytes -= cost.bytes;
    return 0;
  }

  #account(who: string): Account {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#accounts.get(who) ?? { ...this.#rate, atMs: nowMs };
    const seconds = (nowMs - known.atMs) / 1000;
    known.messages = Math.min(this.#rate.messages, known.messages + seconds * this.#rate.messages);
    known.bytes = Math.min(this.#rate.bytes, known.bytes + seconds * this.#rate.bytes);
    known.atMs = nowMs;
    this.#accounts.delete(who);
    this.#accounts.set(who, known);
    if (this.#accounts.size > this.#maxPublishers) {
      const [oldest] = this.#accounts.keys();
      if (oldest !== undefined) this.#accounts.delete(oldest);
    }
    return known;
  }
}
