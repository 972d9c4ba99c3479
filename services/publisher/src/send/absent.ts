// Writes values only if their subjects have no message at all, which never overwrites a newer message: the server
// compares and stores in one step. Never rejects; the number of messages in flight is bounded.
import type { JetStreamClient } from '@nats-io/jetstream';
import { jetstream } from '@nats-io/jetstream';
import type { Subjects } from '@weir/protocol';
import type { NatsLink } from '@weir/runtime';
import { isWrongLastSequence } from '@weir/runtime';
import type { Message } from '../parse/message.ts';
import type { Outcome } from './outcome.ts';
import { Slots } from './slots.ts';
import { outcomeOf } from './transport.ts';

/** `present`: the subject has a message, a value or a deletion; nothing was written. */
export type AbsentOutcome = Outcome | { readonly kind: 'present' };

export interface AbsentWriterOptions {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  /** Maximum wait for an acknowledgement, and for a message's turn. */
  readonly ackTimeoutMs: number;
  readonly maxInFlight: number;
}

export class AbsentWriter {
  readonly #options: AbsentWriterOptions;
  readonly #slots: Slots;
  #client: JetStreamClient | undefined;

  constructor(options: AbsentWriterOptions) {
    this.#options = options;
    this.#slots = new Slots({ max: options.maxInFlight, waitMs: options.ackTimeoutMs });
  }

  /** Resolves when the message is passed to NATS (or cannot be); `outcome` resolves when its outcome is known. */
  async submit(message: Message): Promise<{ readonly outcome: Promise<AbsentOutcome> }> {
    if (!(await this.#slots.enter())) return { outcome: Promise.resolve({ kind: 'unavailable' }) };
    return { outcome: this.#write(message).finally(() => this.#slots.leave()) };
  }

  async #write({ address, data }: Message): Promise<AbsentOutcome> {
    const { link, subjects, ackTimeoutMs } = this.#options;
    const { connection } = link;
    if (connection === undefined || !link.connected) return { kind: 'unavailable' };
    this.#client ??= jetstream(connection);
    const options = { timeout: ackTimeoutMs, expect: { lastSubjectSequence: 0 } };
    try {
      const { stream, seq, duplicate } = await this.#client.publish(subjects.data(address), data, options);
      return { kind: 'kept', stream, seq, duplicate };
    } catch (error) {
      return isWrongLastSequence(error) ? { kind: 'present' } : outcomeOf(error);
    }
  }
}
