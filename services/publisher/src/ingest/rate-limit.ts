// How much each publisher may send a second, in messages and in bytes. Bounded memory whoever comes.
import type { Clock } from '@weir/runtime';

/** What a request costs. */
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
 * Two token buckets for each publisher, each of one second's worth. Whoever is not in debt may send a
 * batch whole and goes into debt with it, so a batch may be larger than a bucket and the mean still holds.
 */
export class RateLimit {
  readonly #rate: Cost;
  readonly #maxPublishers: number;
  readonly #clock: Clock;
  /** The least recently seen first. */
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
    // A debt of any size is paid back to zero and a little more, so that 0 is never just a rounding.
    const seconds = Math.max((1 - messages) / this.#rate.messages, (1 - bytes) / this.#rate.bytes);
    return Math.max(0, Math.ceil(seconds * 1000));
  }

  /** Takes the cost unless `who` is in debt; milliseconds to wait if so, 0 where it was taken. */
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
