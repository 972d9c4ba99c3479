// The console's side of NATS: asks all processes for their figures, hears their answers and the copies of rejected
// messages. Bounded: one question a step, so many copies a step.
import { createInbox } from '@nats-io/transport-node';
import type { Figures } from '@weir/fleet';
import { decodeDrainAnswer, decodeFigures } from '@weir/fleet';
import type { Subjects } from '@weir/protocol';
import type { NatsConnection, NatsLink } from '@weir/runtime';

export interface EarsOptions {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  /** Undefined where the answer is not valid. */
  readonly onFigures: (figures: Figures | undefined, bytes: number) => void;
  readonly onRejected: (copy: { readonly subject: string; readonly reason: string }) => void;
}

/** Every shard copies up to 20 messages a second for each reason: this many are enough to name subjects. */
const maxCopiesAStep = 100;
const answerTimeoutMs = 2_000;

export class Ears {
  readonly #o: EarsOptions;
  readonly #inbox = createInbox();
  #connection: NatsConnection | undefined;
  #copies: { unsubscribe(): void } | undefined;

  constructor(options: EarsOptions) {
    this.#o = options;
  }

  listen(connection: NatsConnection): void {
    this.#connection = connection;
    connection.subscribe(this.#inbox, {
      callback: (error, { data }) => {
        if (error === null) this.#o.onFigures(decodeFigures(data), data.byteLength);
      },
    });
    this.ask();
  }

  /** Asks for figures; answers come until the next question and are taken whenever they come. */
  ask(): void {
    const connection = this.#connection;
    const { link, subjects } = this.#o;
    if (connection === undefined || !link.connected) return;
    link.publish(subjects.figures, '', { reply: this.#inbox });
    this.#copies?.unsubscribe();
    this.#copies = connection.subscribe(subjects.rejected, {
      max: maxCopiesAStep,
      callback: (error, { headers }) => {
        if (error !== null || headers === undefined) return;
        this.#o.onRejected({ subject: headers.get('Weir-Subject'), reason: headers.get('Weir-Reason') });
      },
    });
  }

  /** Asks one shard to drain; undefined if it does not answer. */
  async drain(shard: string): Promise<boolean | undefined> {
    const data = await this.#request(this.#o.subjects.drain(shard));
    return data === undefined ? undefined : decodeDrainAnswer(data)?.accepted;
  }

  /** Asks the leading control to rebalance; the answer is its sentence, undefined if it does not answer. */
  async rebalance(): Promise<string | undefined> {
    const data = await this.#request(this.#o.subjects.rebalance);
    return data === undefined ? undefined : new TextDecoder().decode(data).slice(0, 1_000);
  }

  async #request(subject: string): Promise<Uint8Array | undefined> {
    if (!this.#o.link.connected) return undefined;
    try {
      return (await this.#connection?.request(subject, '', { timeout: answerTimeoutMs }))?.data;
    } catch {
      return undefined; // no answer in time, or nobody listens
    }
  }
}
