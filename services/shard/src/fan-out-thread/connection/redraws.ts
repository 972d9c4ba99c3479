// Bounds the bytes that one client makes a shard send by subscribing. The first snapshot of each channel costs nothing;
// repeated snapshots, and errors for channels that the client may not have, are charged to a bucket. While the bucket is
// in debt, a subscription that would repeat a snapshot waits. Pure decisions; it sends nothing.

export interface RedrawLimits {
  /** Bytes of repeated snapshots in the long run, and at once. */
  readonly redrawBytesPerSecond: number;
  readonly redrawBurstBytes: number;
}

/** Channels that are remembered as drawn; with more, every further snapshot counts as a repeated one. */
const MAX_DRAWN = 1_000;
/** Most subscriptions that wait before the bucket is full again; the shard closes a client with more. */
const MAX_DELAYED = 20;
/** Longest time between two looks at the subscriptions that wait. */
const MAX_WAIT_MS = 60_000;
/** A little more than the size of an `error`. */
const ANSWER_BYTES = 200;

export class Redraws {
  readonly #limits: RedrawLimits;
  readonly #drawn: Set<string>;
  #waiting: readonly string[] = [];
  #tokens: number;
  #atMs: number;
  #delayed = 0;

  constructor(limits: RedrawLimits, channels: readonly string[], nowMs: number) {
    this.#limits = limits;
    this.#drawn = new Set(channels);
    this.#tokens = limits.redrawBurstBytes;
    this.#atMs = nowMs;
  }

  /** Channels that the client has subscribed to and that wait for the bucket. */
  get waiting(): readonly string[] {
    return this.#waiting;
  }

  /** Whether the client goes on subscribing although it has to wait. */
  get persistent(): boolean {
    return this.#delayed > MAX_DELAYED;
  }

  /** Takes a subscription. Returns the channels that may begin now; the rest waits. */
  ask(channels: readonly string[], nowMs: number): readonly string[] {
    this.#refill(nowMs);
    if (this.#tokens > 0) return channels;
    const again = channels.filter((channel) => this.had(channel));
    if (again.length > 0) this.#delayed++;
    this.#waiting = [...this.#waiting, ...again];
    return channels.filter((channel) => !again.includes(channel));
  }

  /** The channels that have waited and may begin now. */
  due(nowMs: number): readonly string[] {
    this.#refill(nowMs);
    if (this.#tokens <= 0) return [];
    const due = this.#waiting;
    this.#waiting = [];
    return due;
  }

  /** Time until the next look at what waits. */
  get waitMs(): number {
    const owedMs = (-this.#tokens / this.#limits.redrawBytesPerSecond) * 1_000;
    return Math.min(MAX_WAIT_MS, Math.max(0, owedMs) + 1);
  }

  /** The client has unsubscribed from these channels. */
  drop(channels: readonly string[]): void {
    if (this.#waiting.length > 0)
      this.#waiting = this.#waiting.filter((channel) => !channels.includes(channel));
  }

  /** Whether a snapshot of this channel is a repeated one. */
  had(channel: string): boolean {
    return this.#drawn.has(channel) || this.#drawn.size >= MAX_DRAWN;
  }

  /** A snapshot of this channel begins. Returns whether it is a repeated one. */
  begin(channel: string): boolean {
    const again = this.had(channel);
    if (!again) this.#drawn.add(channel);
    return again;
  }

  /** Bytes of repeated snapshots were queued for the client. */
  charge(bytes: number): void {
    this.#tokens -= bytes;
  }

  /** Errors were queued for the client. */
  chargeAnswers(count: number): void {
    this.charge(count * ANSWER_BYTES);
  }

  #refill(nowMs: number): void {
    const { redrawBytesPerSecond, redrawBurstBytes } = this.#limits;
    const earned = ((nowMs - this.#atMs) / 1_000) * redrawBytesPerSecond;
    this.#atMs = nowMs;
    this.#tokens = Math.min(redrawBurstBytes, this.#tokens + earned);
    if (this.#tokens >= redrawBurstBytes) this.#delayed = 0;
  }
}
