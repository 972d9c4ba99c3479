// Plays the market through the publisher: ten updates a second of each match, and a goal now and then. Never queues
// state; a goal that was not kept is sent again, under the same id, until it is.
import { setTimeout as delay } from 'node:timers/promises';
import { type Goal, MARKET_CHANNEL, type Market, type Quote } from './market.ts';
import type { Publication, Publisher } from './publisher.ts';

const PERIOD_MS = 100;
const GOAL_EVERY_MS = 8_000;
const GOAL_AGAIN_MS = 500;
/** Goals that may wait for NATS; more are not scored. */
const WAITING_GOALS = 20;
const BURST_PIECE = 600;

export interface FeedOptions {
  readonly market: Market;
  readonly publisher: Publisher;
  /** Told each message that was kept, in order. */
  readonly kept: (message: Publication) => void;
}

export interface FeedCounts {
  /** Updates of the state lane that were kept. */
  readonly updates: number;
  /** Goals that were kept, which is the number of the newest one. */
  readonly goals: number;
  readonly waitingGoals: number;
}

export class Feed {
  readonly #options: FeedOptions;
  /** Makes ids of this run: the stream may have goals of another one. */
  readonly #run = Math.random().toString(36).slice(2);
  readonly #waiting: Goal[] = [];
  #playing: AbortController | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #updates = 0;
  #goals = 0;
  #isSendingGoals = false;
  #sending: Promise<boolean> = Promise.resolve(true);
  #values: ReadonlyMap<string, Quote> = new Map();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  counts(): FeedCounts {
    return { updates: this.#updates, goals: this.#goals, waitingGoals: this.#waiting.length };
  }

  /** The newest value of each key. */
  values(): ReadonlyMap<string, Quote> {
    return this.#values;
  }

  /** Plays until `stop`; does nothing where it plays already. */
  start(): void {
    if (this.#playing !== undefined) return;
    const playing = new AbortController();
    this.#playing = playing;
    this.#ended = this.#play(playing.signal);
  }

  async stop(): Promise<void> {
    this.#playing?.abort();
    this.#playing = undefined;
    await this.#ended;
  }

  /** Scores; false where too many goals wait already. */
  goal(): boolean {
    if (this.#waiting.length >= WAITING_GOALS) return false;
    this.#waiting.push(this.#options.market.goal(Date.now()));
    void this.#sendGoals();
    return true;
  }

  /** Publishes so many updates as fast as the publisher keeps them; answers how many it kept. */
  async burst(updates: number): Promise<number> {
    const before = this.#updates;
    while (this.#updates - before < updates) {
      const size = Math.min(BURST_PIECE, updates);
      if (!(await this.#sendNext(size))) break;
    }
    return this.#updates - before;
  }

  async #play(signal: AbortSignal): Promise<void> {
    let dueMs = performance.now();
    let goalMs = dueMs + GOAL_EVERY_MS / 2;
    while (!signal.aborted) {
      await this.#sendNext(1);
      const nowMs = performance.now();
      if (nowMs >= goalMs) {
        this.goal();
        goalMs = nowMs + GOAL_EVERY_MS * (0.7 + Math.random() * 0.6);
      }
      dueMs = Math.max(dueMs + PERIOD_MS, nowMs);
      await delay(dueMs - nowMs, undefined, { signal }).catch(() => {});
    }
  }

  #next(): readonly Publication[] {
    this.#values = this.#options.market.next(Date.now());
    return [...this.#values].map(([key, data]) => ({ lane: 'state', channel: MARKET_CHANNEL, key, data }));
  }

  /** At least so many updates, after those under way: a burst and the play never overtake each other. */
  #sendNext(updates: number): Promise<boolean> {
    this.#sending = this.#sending.then(() => {
      const messages: Publication[] = [];
      while (messages.length < updates) messages.push(...this.#next());
      return this.#send(messages);
    });
    return this.#sending;
  }

  async #send(messages: readonly Publication[]): Promise<boolean> {
    const { status } = await this.#options.publisher.send(messages);
    if (status !== 200) return false;
    this.#updates += messages.length;
    for (const message of messages) this.#options.kept(message);
    return true;
  }

  /** In their order, one after the other. */
  async #sendGoals(): Promise<void> {
    if (this.#isSendingGoals) return;
    this.#isSendingGoals = true;
    for (let goal = this.#waiting[0]; goal !== undefined; goal = this.#waiting[0]) {
      const id = `${this.#run}-${goal.n}`;
      const message: Publication = { lane: 'critical', channel: MARKET_CHANNEL, data: goal, id };
      const { status } = await this.#options.publisher.send(message);
      if (status === 200) {
        this.#waiting.shift();
        this.#goals = goal.n;
        this.#options.kept(message);
      } else {
        await delay(GOAL_AGAIN_MS, undefined, { ref: false });
      }
    }
    this.#isSendingGoals = false;
  }
}
