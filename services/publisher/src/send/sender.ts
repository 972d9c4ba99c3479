// Passes messages to NATS in the order of their submission and reports each one's outcome. Never rejects, never waits
// forever; the number of messages in flight is bounded.
import type { Lane, Subjects } from '@weir/protocol';
import type { Clock } from '@weir/runtime';
import type { Message } from '../parse/message.ts';
import type { Outcome } from './outcome.ts';
import { Slots } from './slots.ts';
import type { Transport } from './transport.ts';

/** Reported for every message when its outcome is known. */
export type ObserveSent = (sent: {
  readonly lane: Lane;
  readonly outcome: Outcome;
  readonly bytes: number;
  readonly tookMs: number;
}) => void;

export interface SenderOptions {
  readonly transport: Transport;
  readonly subjects: Subjects;
  /** Maximum wait for an acknowledgement, and for a message's turn. */
  readonly ackTimeoutMs: number;
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly observe?: ObserveSent;
}

const unavailable: Outcome = { kind: 'unavailable' };
const unknown: Outcome = { kind: 'unknown' };

export class Sender {
  readonly #options: SenderOptions;
  readonly #slots: Slots;
  /** One function per message in flight, called when the connection is lost. */
  readonly #lost: Set<() => void> = new Set();

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#slots = new Slots({ max: options.maxInFlight, waitMs: options.ackTimeoutMs });
    options.transport.onDisconnected(() => {
      for (const lose of this.#lost) lose();
    });
  }

  get connected(): boolean {
    return this.#options.transport.connected;
  }

  get inFlight(): number {
    return this.#slots.taken;
  }

  /** Resolves when the message is passed to NATS (or cannot be); `outcome` resolves when its outcome is known. */
  async submit(message: Message): Promise<{ readonly outcome: Promise<Outcome> }> {
    if (!this.connected || !(await this.#slots.enter())) {
      return { outcome: Promise.resolve(this.#told(message, { outcome: unavailable, tookMs: 0 })) };
    }
    // No await from here to the transport: the order of calls is the order on the wire.
    return { outcome: this.#hand(message).finally(() => this.#slots.leave()) };
  }

  /**
   * Sends all messages in order. After the first `unknown` the rest is not sent but `unavailable`: a silent server
   * must not make a batch wait once per window.
   */
  async sendAll(messages: readonly Message[]): Promise<readonly Outcome[]> {
    let silent = false;
    const outcomes: Promise<Outcome>[] = [];
    for (const message of messages) {
      if (silent) {
        outcomes.push(Promise.resolve(this.#told(message, { outcome: unavailable, tookMs: 0 })));
        continue;
      }
      const { outcome } = await this.submit(message);
      outcomes.push(outcome);
      void outcome.then(({ kind }) => {
        if (kind === 'unknown') silent = true;
      });
    }
    return Promise.all(outcomes);
  }

  async #hand(message: Message): Promise<Outcome> {
    const { transport, subjects, ackTimeoutMs, clock } = this.#options;
    const { address, data, id } = message;
    const startMs = clock.monotonicMs();
    if (!transport.connected) return this.#told(message, { outcome: unavailable, tookMs: 0 });
    const envelope = { subject: subjects.data(address), data, id };
    const answer =
      address.lane === 'cosmetic'
        ? transport.publishPlain(envelope)
        : transport.publishKept(envelope, ackTimeoutMs);
    const outcome = await this.#unlessLost(answer);
    return this.#told(message, { outcome, tookMs: clock.monotonicMs() - startMs });
  }

  #told(message: Message, { outcome, tookMs }: { outcome: Outcome; tookMs: number }): Outcome {
    this.#options.observe?.({
      lane: message.address.lane,
      outcome,
      bytes: message.data.length,
      tookMs,
    });
    return outcome;
  }

  /** The answer, or `unknown` if the connection is lost first or the wait is too long. */
  #unlessLost(answer: Promise<Outcome>): Promise<Outcome> {
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        this.#lost.delete(lose);
        resolve(outcome);
      };
      const lose = (): void => settle(unknown);
      const timer = setTimeout(lose, this.#options.ackTimeoutMs);
      this.#lost.add(lose);
      answer.then(settle, lose);
    });
  }
}
