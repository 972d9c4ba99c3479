// The publisher of a random sequence. Every value and message carries a number that rises with each publish. There is
// only one connection, so the order in the streams is the order of the numbers.
import type { JetStreamClient } from '@nats-io/jetstream';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';

export const CHANNELS = ['a', 'b', 'c.d', 'e'] as const;
const KEYS = 24;
const ACK_MS = 2_000;

/** The key of a number. */
export function keyOf(number: number): string {
  return `k${number % KEYS}`;
}

export class Feed {
  readonly nats: NatsConnection;
  readonly #jetstream: JetStreamClient;
  readonly #kept = new Map<string, number[]>();
  readonly #pending = new Set<Promise<void>>();
  #version = 0;
  #hasPurged = false;

  private constructor(nats: NatsConnection) {
    this.nats = nats;
    this.#jetstream = jetstream(nats, { timeout: ACK_MS });
  }

  static async open(url: string): Promise<Feed> {
    return new Feed(await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 }));
  }

  /** The number of the newest publish. */
  get version(): number {
    return this.#version;
  }

  get hasPurged(): boolean {
    return this.#hasPurged;
  }

  /** Numbers of a channel's critical messages that the stream has acknowledged and not lost since. */
  kept(channel: string): readonly number[] {
    return this.#kept.get(channel) ?? [];
  }

  /** The critical stream was lost or set back: clients need not get earlier messages. */
  forgetCritical(): void {
    this.#kept.clear();
  }

  set(channel: string, key: number, bytes = 0): void {
    const value = { version: ++this.#version, ...(bytes === 0 ? {} : { pad: 'x'.repeat(bytes) }) };
    this.#publish(`weir.state.${channel}.${keyOf(key)}`, JSON.stringify(value));
  }

  delete(channel: string, key: number): void {
    this.#version++;
    this.#publish(`weir.state.${channel}.${keyOf(key)}`, '');
  }

  /** Purges a key from the stream, of which NATS notifies no shard. */
  purge(channel: string, key: number): void {
    const filter = `weir.state.${channel}.${keyOf(key)}`;
    this.#hasPurged = true;
    this.#track(async () => {
      await (await jetstreamManager(this.nats)).streams.purge('WEIR_STATE', { filter });
    });
  }

  /** Publishes an invalid message in the place of a value. */
  spoil(channel: string, key: number): void {
    this.#publish(`weir.state.${channel}.${keyOf(key)}`, '{broken');
  }

  critical(channel: string, bytes = 0): void {
    const version = ++this.#version;
    const payload = JSON.stringify({ version, ...(bytes === 0 ? {} : { pad: 'x'.repeat(bytes) }) });
    this.#publish(`weir.critical.${channel}`, payload, () => {
      this.#kept.set(channel, [...(this.#kept.get(channel) ?? []), version]);
    });
  }

  cosmetic(channel: string): void {
    this.nats.publish(`weir.cosmetic.${channel}`, JSON.stringify({ version: ++this.#version }));
  }

  /** Resolves when every publish is acknowledged or has failed. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    await this.nats.close();
  }

  #publish(subject: string, payload: string, kept: () => void = () => undefined): void {
    // A retry could overtake a later publish of the same key.
    this.#track(async () => {
      await this.#jetstream.publish(subject, payload, { retries: 0 });
      kept();
    });
  }

  /** Publishes fail while NATS is away, as for every publisher; clients need not get unacknowledged messages. */
  #track(run: () => Promise<void>): void {
    const done = run()
      .catch(() => undefined)
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }
}
