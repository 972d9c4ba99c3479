// A crowd of SDK clients outside the cluster and a feed that numbers its critical messages: says afterwards what was
// lost, doubled or late, and how often each client was moved.
import { connect } from '@weir/client';
import type { Publisher } from './lab.ts';

const FEED_MS = 100;

export interface CrowdReport {
  readonly published: number;
  readonly clients: number;
  readonly lost: number;
  readonly doubled: number;
  readonly gaps: number;
  readonly breaks: number;
  /** Longest time without any data of the worst client. */
  readonly longestSilenceMs: number;
  /** How many clients came to how many further shards. */
  readonly moved: Readonly<Record<number, number>>;
}

interface Client {
  readonly weir: ReturnType<typeof connect>;
  readonly got: Map<number, number>;
  readonly shards: string[];
  /** The first message that it must have: what is published before it is served is not its. */
  firstNumber: number;
  gaps: number;
  /** Connections that ended without a move. */
  breaks: number;
  lastAtMs: number;
  longestSilenceMs: number;
}

export class Crowd {
  readonly #clients: Client[] = [];
  readonly #publisher: Publisher;
  readonly #channel: string;
  #published = 0;
  #feed: Promise<void> | undefined;
  #ended = false;

  constructor(publisher: Publisher, channel: string) {
    this.#publisher = publisher;
    this.#channel = channel;
  }

  /** Resolves when all are served. */
  async join(url: string, count: number, options: { readonly class?: string } = {}): Promise<void> {
    const joined = Array.from({ length: count }, () => this.#one(url, options));
    await until(() => joined.every(({ shards }) => shards.length > 0), 'all clients are served', 60_000);
  }

  get shards(): readonly string[] {
    return this.#clients.map(({ shards }) => shards.at(-1) ?? '');
  }

  /** `count` go, those who came as number `first` and after, and count no more. */
  leave(first: number, count: number): void {
    for (const { weir } of this.#clients.splice(first, count)) weir.close();
  }

  /** Begins to publish, ten times a second, a critical message and a state key. */
  start(): void {
    this.#feed = this.#publishAll();
  }

  /** Ends the feed, waits until all that was published can have arrived, and sums up. */
  async end(): Promise<CrowdReport> {
    this.#ended = true;
    await this.#feed;
    const all = this.#published;
    await until(
      () => this.#clients.every(({ got, firstNumber }) => got.size >= all - firstNumber),
      'the last messages',
      15_000,
    ).catch(() => {});
    for (const { weir } of this.#clients) weir.close();
    const sum = (of: (client: Client) => number): number =>
      this.#clients.reduce((total, one) => total + of(one), 0);
    const moved: Record<number, number> = {};
    for (const { shards } of this.#clients) moved[shards.length - 1] = (moved[shards.length - 1] ?? 0) + 1;
    return {
      published: all,
      clients: this.#clients.length,
      lost: sum(({ got, firstNumber }) => all - firstNumber - got.size),
      doubled: sum(({ got }) => [...got.values()].filter((times) => times > 1).length),
      gaps: sum(({ gaps }) => gaps),
      breaks: sum(({ breaks }) => breaks),
      longestSilenceMs: Math.round(Math.max(0, ...this.#clients.map((one) => one.longestSilenceMs))),
      moved,
    };
  }

  #one(url: string, options: { readonly class?: string }): Client {
    const weir = connect({ url, channels: [this.#channel], ...options });
    const client: Client = {
      weir,
      got: new Map(),
      shards: [],
      firstNumber: 0,
      gaps: 0,
      breaks: 0,
      lastAtMs: 0,
      longestSilenceMs: 0,
    };
    weir.on('open', ({ shard }) => {
      if (client.shards.length > 0) client.breaks++;
      client.shards.push(shard);
    });
    weir.on('move', ({ shard }) => client.shards.push(shard));
    const channel = weir.channel(this.#channel);
    const heard = (): void => {
      const now = performance.now();
      if (client.lastAtMs > 0)
        client.longestSilenceMs = Math.max(client.longestSilenceMs, now - client.lastAtMs);
      client.lastAtMs = now;
    };
    channel.on('state', heard);
    channel.on('critical', ({ data }) => {
      heard();
      const number = Number(data);
      if (client.got.size === 0) client.firstNumber = number;
      client.got.set(number, (client.got.get(number) ?? 0) + 1);
    });
    channel.on('gap', () => {
      client.gaps++;
    });
    this.#clients.push(client);
    return client;
  }

  /** A publisher does so: the id makes it safe to send again what was not acknowledged. */
  async #publish(messages: readonly unknown[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#publisher.publish(messages);
        return;
      } catch (error) {
        if (tries >= 10) throw error;
        await delay(500);
      }
    }
  }

  async #publishAll(): Promise<void> {
    while (!this.#ended) {
      const began = performance.now();
      const number = this.#published;
      await this.#publish([
        { lane: 'critical', channel: this.#channel, data: number, id: `${this.#channel}-${number}` },
        { lane: 'state', channel: this.#channel, key: 'tick', data: number },
      ]);
      this.#published++;
      await delay(Math.max(0, FEED_MS - (performance.now() - began)));
    }
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is so; says what was waited for where it never is. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs} ms still not: ${what}`);
    await delay(200);
  }
}
