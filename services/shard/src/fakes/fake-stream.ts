// A stream in memory for tests of the reader: what it does wrong is set by the test.

import type { StreamFacts } from '../main-thread/intake/epoch.ts';
import type { Identity } from '../main-thread/intake/history.ts';
import type { Scanned, StreamAccess } from '../main-thread/intake/stream-access.ts';
import type { Message } from '../main-thread/lanes/message.ts';

/** A stream in memory. What it does wrong is set by the test. */
export class FakeStream implements StreamAccess {
  messages: Message[] = [];
  createdMs = 1_000;
  generation = 0;
  hadMs = 0;
  lastSeq = 0;
  serverNowMs = 0;
  exists = true;
  agesOut = false;
  maxPerSubject = 100;
  /** Keeps a subject's newest message alone. */
  latestOnly = false;
  /** Failures still to come, by what is asked. */
  readonly failures = { ensure: 0, facts: 0, fill: 0, follow: 0, scan: 0 };
  readonly asked = { ensure: 0, facts: 0, fill: 0, scan: 0 };
  /** Refuses what the shard publishes. */
  refuses = false;
  /** Answers that never come, because the connection broke first, by what is asked. */
  readonly hangs = { facts: 0, fill: 0 };
  /** Runs in the middle of the next fill. */
  duringFill: (() => void) | undefined;
  /** Runs at the end of the next scan. */
  afterScan: (() => void) | undefined;
  changed: () => void = () => undefined;
  #take: ((message: Message) => void) | undefined;

  get followed(): boolean {
    return this.#take !== undefined;
  }

  /** Stores a message, and shows it on the feed unless that loses it. */
  publish(
    how: {
      readonly lost?: boolean;
      readonly timeMs?: number;
      readonly subject?: string;
      readonly data?: string;
    } = {},
  ): Message {
    const seq = ++this.lastSeq;
    const subject = how.subject ?? 'weir.critical.a';
    const data = Buffer.from(how.data ?? `${seq}`);
    const message = { seq, subject, data, timeMs: how.timeMs ?? seq };
    if (this.latestOnly) this.messages = this.messages.filter((one) => one.subject !== subject);
    this.messages.push(message);
    if (how.lost !== true) this.show(message);
    return message;
  }

  /** Shows something on the feed. */
  show(message: Message): void {
    this.#take?.(message);
  }

  /** The sequence goes on, and there is no message: it was deleted, or has aged out. */
  drop(seq: number): void {
    this.messages = this.messages.filter((message) => message.seq !== seq);
  }

  /** A server that crashed brings back a message that it had removed. */
  bringBack(message: Message): void {
    this.messages = [...this.messages, message].sort((a, b) => a.seq - b.seq);
  }

  recreate(): void {
    this.createdMs++;
    this.generation = 0;
    this.hadMs = 0;
    this.wipe();
  }

  /** The same stream by name and creation time, without what it had. */
  wipe(): void {
    this.messages = [];
    this.lastSeq = 0;
  }

  async ensure(): Promise<void> {
    this.asked.ensure++;
    this.#fail('ensure');
    if (this.exists) return;
    this.exists = true;
    this.recreate();
  }

  async facts(): Promise<StreamFacts | undefined> {
    this.asked.facts++;
    this.#fail('facts');
    if (this.#hangs('facts')) return new Promise(() => undefined);
    if (!this.exists) return undefined;
    const { createdMs, generation, hadMs, lastSeq, serverNowMs } = this;
    const firstSeq = this.messages[0]?.seq ?? lastSeq + 1;
    const subjects = new Set(this.messages.map(({ subject }) => subject)).size;
    return {
      createdMs,
      generation,
      hadMs,
      firstSeq,
      lastSeq,
      messages: this.agesOut ? undefined : this.messages.length,
      subjects,
      agesOut: this.agesOut,
      maxPerSubject: this.maxPerSubject,
      serverNowMs,
    };
  }

  async first(from: number): Promise<Identity | undefined> {
    const found = this.messages.find(({ seq }) => seq >= from);
    if (found === undefined) return undefined;
    const { seq, subject, timeMs, data } = found;
    return { seq, subject, timeMs, size: data.length };
  }

  async last(wanted: string): Promise<Message | undefined> {
    return this.messages.findLast(({ subject }) => subject === wanted);
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { subject } of this.messages) counts.set(subject, (counts.get(subject) ?? 0) + 1);
    return counts;
  }

  async oldest(wanted: string): Promise<number | undefined> {
    return this.messages.find(({ subject }) => subject === wanted)?.seq;
  }

  async scan(take: (scanned: Scanned) => void): Promise<void> {
    this.asked.scan++;
    this.#fail('scan');
    for (const { seq, subject, data } of this.messages) take({ seq, subject, size: () => data.length });
    const run = this.afterScan;
    this.afterScan = undefined;
    run?.();
  }

  async put(subject: string, data: Uint8Array, afterSeq: number): Promise<'kept' | 'overtaken' | 'refused'> {
    if (this.refuses) return 'refused';
    if (((await this.last(subject))?.seq ?? 0) !== afterSeq) return 'overtaken';
    this.publish({ subject, data: Buffer.from(data).toString() });
    return 'kept';
  }

  async writeEpoch({ generation, hadMs }: Pick<StreamFacts, 'generation' | 'hadMs'>): Promise<void> {
    this.generation = generation;
    this.hadMs = hadMs;
  }

  async fill(fromSeq: number, take: (message: Message) => void): Promise<void> {
    this.asked.fill++;
    this.#fail('fill');
    if (this.#hangs('fill')) return new Promise(() => undefined);
    const there = this.messages.filter(({ seq }) => seq >= fromSeq);
    there.forEach((message, i) => {
      if (i === there.length >> 1) {
        const run = this.duringFill;
        this.duringFill = undefined;
        run?.();
      }
      take(message);
    });
  }

  follow(take: (message: Message) => void, changed: () => void): { stop(): void } {
    this.#fail('follow');
    this.#take = take;
    this.changed = changed;
    return {
      stop: () => {
        this.#take = undefined;
      },
    };
  }

  #hangs(what: keyof FakeStream['hangs']): boolean {
    if (this.hangs[what] === 0) return false;
    this.hangs[what]--;
    return true;
  }

  #fail(what: keyof FakeStream['failures']): void {
    if (this.failures[what] === 0) return;
    this.failures[what]--;
    throw new Error(`${what} fails`);
  }
}
