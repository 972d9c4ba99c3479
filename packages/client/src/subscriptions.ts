// What the application wants, and what the current stream sends. It says the difference; it never sends anything.
import type { ClientMessage } from '@weir/protocol';
import { checkChannels } from './channels.ts';
import type { Feed, FeedMessage } from './feed.ts';

export class Subscriptions {
  readonly feeds: Map<string, Feed> = new Map();
  readonly wanted: Set<string>;
  #served = new Set<string>();
  /** Left since the stream was told last: what they had is gone here, also where they are wanted again. */
  readonly #left = new Set<string>();
  /** Left, and what the shard sends of them is not yet known to belong to a later subscription. */
  readonly #stale = new Set<string>();

  constructor(wanted: readonly string[]) {
    this.wanted = new Set(wanted);
    checkChannels(this.wanted);
  }

  /** Whether a position may speak for a channel that was forgotten: the changes since then would leave a hole there. */
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
    const served = this.#served.has(channel);
    if (served) {
      this.#left.add(channel);
      this.#stale.add(channel);
    }
    const feed = this.feeds.get(channel);
    feed?.endIterations();
    feed?.clear(served);
    return true;
  }

  /**
   * Whether a message is for this client. Frames still come for a while after an unsubscribe; and after a subscribe that
   * follows it, frames of the state would be changes of a map that was dropped, or the end of half a snapshot.
   */
  hears({ channel, type }: FeedMessage): boolean {
    return this.wanted.has(channel) && !(type === 'state' && this.#stale.has(channel));
  }

  /** The shard begins these channels. Where it has been told, or is to be told, of a later end, that does not count. */
  began(channels: readonly string[]): void {
    for (const channel of channels) {
      if (this.#left.has(channel) || !this.#served.has(channel)) continue;
      this.#stale.delete(channel);
      this.feeds.get(channel)?.begins();
    }
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
    this.#stale.clear();
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
    for (const [channel, feed] of this.feeds) {
      if (this.wanted.has(channel)) continue;
      feed.clear();
      feed.begins();
    }
  }
}
