// Writes values where their subjects have no message at all, so that nothing newer is ever overwritten: the server
// compares and stores in one step. Never rejects, never has more than a bounded number in flight.
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
  /** How long an acknowledgement may take; also how long a message waits for its turn. */
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

  /** Resolves once the message is handed over (or cannot be); `outcome` once it is known what became of it. */
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
