// What the application wants, and what the current stream sends. It says the difference; it never sends anything.
import type { ClientMessage } from '@weir/protocol';
import { checkChannels } from './channels.ts';
import type { Feed } from './feed.ts';

export class Subscriptions {
  readonly feeds: Map<string, Feed> = new Map();
  readonly wanted: Set<string>;
  #served = new Set<string>();
  /** Left since the stream was told last: what they had is gone here, also where they are wanted again. */
  readonly #left = new Set<string>();

  constructor(wanted: readonly string[]) {
    this.wanted = new Set(wanted);
    checkChannels(this.wanted);
  }

  /** Whether a position speaks for a channel that was forgotten: resuming from it would leave a hole there. */
  get hasHoles(): boolean {
    return [...this.wanted].some((channel) => this.feeds.get(channel)?.forgotten);
  }

  add(channel: string): void {
    checkChannels([...this.wanted, channel]);
    this.wanted.add(channel);
  }

  /** Answers whether it was wanted. */
  leave(channel: string): boolean {
    if (!this.wanted.delete(channel)) return false;
    if (this.#served.has(channel)) this.#left.add(channel);
    const feed = this.feeds.get(channel);
    feed?.endIterations();
    feed?.clear();
    return true;
  }

  /** It would be refused again at the next visit to the router, and the whole connection with it. */
  refused(channel: string): void {
    this.wanted.delete(channel);
    this.#served.delete(channel);
    this.feeds.get(channel)?.endIterations();
  }

  /** A new stream took over. Answers the feeds of what the one before sent. */
  begin(channels: readonly string[]): readonly Feed[] {
    const before = [...this.#served].flatMap((channel) => this.feeds.get(channel) ?? []);
    this.#served = new Set(channels);
    this.#left.clear();
    return before;
  }

  /** What a stream has to be told, which counts as told. `last`: critical messages that new channels begin with. */
  take(last: number): readonly ClientMessage[] {
    const missing = (from: Set<string>, to: Set<string>): string[] =>
      [...from].filter((channel) => !to.has(channel) || this.#left.has(channel));
    const less = missing(this.#served, this.wanted);
    const more = missing(this.wanted, this.#served);
    this.#left.clear();
    this.#served = new Set(this.wanted);
    const messages: ClientMessage[] = [];
    if (less.length > 0) messages.push({ type: 'unsubscribe', channels: less });
    if (more.length > 0) messages.push({ type: 'subscribe', channels: more, ...(last > 0 && { last }) });
    return messages;
  }

  /** Channels that are not wanted keep nothing. */
  forgetUnwanted(): void {
    for (const [channel, feed] of this.feeds) if (!this.wanted.has(channel)) feed.clear();
  }
}
