// A user's publisher: plain NATS publishes in all three lanes, at the pace of a feed. Runs in the bench's own process.
import type { NatsConnection } from '@nats-io/transport-node';
import type { Feed } from './peers/feed.ts';
import { message } from './peers/feed.ts';

/** Messages beside the state of the feed, on its first channel. */
export interface Extras {
  /** Time between two critical messages. */
  readonly criticalMs?: number;
  readonly cosmeticPerTick?: number;
}

const CRITICAL_BYTES = 200;
const COSMETIC_BYTES = 100;

export class WeirFeed {
  ticks = 0;
  #playing = false;
  readonly #nats: NatsConnection;
  readonly #feed: Feed;
  readonly #extras: Extras;
  readonly #timers: NodeJS.Timeout[];
  #seq = 0;
  #critical = 0;

  constructor(nats: NatsConnection, feed: Feed, extras: Extras) {
    this.#nats = nats;
    this.#feed = feed;
    this.#extras = extras;
    this.#timers = [setInterval(() => this.#tick(), feed.tickMs)];
    if (extras.criticalMs !== undefined)
      this.#timers.push(setInterval(() => this.#sendCritical(), extras.criticalMs));
  }

  play(playing: boolean): void {
    this.#playing = playing;
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Each message of a tick has its own key, so that a tick has as many values as the peers send messages. */
  #tick(): void {
    if (!this.#playing) return;
    this.ticks++;
    const { channels, messagesPerTick, bytes } = this.#feed;
    for (let channel = 0; channel < channels; channel++) {
      for (let i = 0; i < messagesPerTick; i++)
        this.#nats.publish(`weir.state.c${channel}.k${i}`, message(bytes, this.#seq++));
    }
    for (let i = 0; i < (this.#extras.cosmeticPerTick ?? 0); i++)
      this.#nats.publish('weir.cosmetic.c0', message(COSMETIC_BYTES, this.#seq++));
  }

  #sendCritical(): void {
    if (this.#playing) this.#nats.publish('weir.critical.c0', message(CRITICAL_BYTES, this.#critical++));
  }
}
