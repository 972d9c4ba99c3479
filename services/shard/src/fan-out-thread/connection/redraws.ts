// Bounds the bytes that one client makes a shard send by asking. The first snapshot of each channel costs nothing; from
// then on snapshots of channels that it had before, and answers to what it may not have, come out of a bucket. While
// the bucket is in debt such a subscription waits. Pure decisions; it sends nothing.

export interface RedrawLimits {
  /** Bytes of repeated snapshots in the long run, and at once. */
  readonly redrawBytesPerSecond: number;
  readonly redrawBurstBytes: number;
}

/** Channels that are remembered as drawn; with more, every further snapshot counts as a repeated one. */
const MAX_DRAWN = 1_000;
/** Subscriptions that may have to wait before the bucket was full again; a client with more is closed. */
const MAX_DELAYED = 20;
/** Longest time until it is looked at again whether what waits may begin. */
const MAX_WAIT_MS = 60_000;
/** A little more than an `error` takes. */
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

  /** Channels that are subscribed to and have not begun. */
  get waiting(): readonly string[] {
    return this.#waiting;
  }

  /** Whether the client draws without end: the waiting alone does not slow it down. */
  get persistent(): boolean {
    return this.#delayed > MAX_DELAYED;
  }

  /** Of what is subscribed to: what may begin now. The rest waits. */
  ask(channels: readonly string[], nowMs: number): readonly string[] {
    this.#refill(nowMs);
    if (this.#tokens > 0) return channels;
    const again = channels.filter((channel) => this.had(channel));
    if (again.length > 0) this.#delayed++;
    this.#waiting = [...this.#waiting, ...again];
    return channels.filter((channel) => !again.includes(channel));
  }

  /** What has waited and may begin now. */
  due(nowMs: number): readonly string[] {
    this.#refill(nowMs);
    if (this.#tokens <= 0) return [];
    const due = this.#waiting;
    this.#waiting = [];
    return due;
  }

  /** When to look again whether what waits may begin. */
  get waitMs(): number {
    const owedMs = (-this.#tokens / this.#limits.redrawBytesPerSecond) * 1_000;
    return Math.min(MAX_WAIT_MS, Math.max(0, owedMs) + 1);
  }

  /** These channels are not wanted any more. */
  drop(channels: readonly string[]): void {
    if (this.#waiting.length > 0)
      this.#waiting = this.#waiting.filter((channel) => !channels.includes(channel));
  }

  /** Whether a snapshot of this channel is a repeated one. */
  had(channel: string): boolean {
    return this.#drawn.has(channel) || this.#drawn.size >= MAX_DRAWN;
  }

  /** A snapshot of this channel begins. Answers whether it is a repeated one. */
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
