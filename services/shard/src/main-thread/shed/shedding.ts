// Answers requests to move clients away from this shard (docs/protocol.md, section 12): divides the number among the
// threads, which choose the clients. It moves no client itself, and gives out no more than a second's moves in a second.
import { decodeShedRequest, encodeShedAnswer } from '@weir/fleet';
import { isInbox } from '@weir/protocol';
import type { ShedOrder } from '../../port/messages.ts';
import { divide } from './divide.ts';

/** What became of a request. A closed set: it is a label of a metric. */
export const SHED_OUTCOMES = ['accepted', 'nobody', 'unfit', 'tooOften', 'invalid'] as const;
export type ShedOutcome = (typeof SHED_OUTCOMES)[number];

/** A thread that may be asked. */
export interface ShedThread {
  readonly connections: number;
  ask(id: number, order: ShedOrder): void;
}

/** The part of a NATS connection that is needed; the real one fits. */
export interface ShedSource {
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: ShedMessage) => void },
  ): unknown;
}

export interface ShedMessage {
  readonly data: Uint8Array;
  readonly reply?: string;
}

export interface SheddingOptions {
  readonly movesPerSecond: number;
  /** Whether it is neither draining, stale nor not ready. */
  readonly fit: () => boolean;
  readonly threads: () => readonly ShedThread[];
  readonly answer: (subject: string, answer: Uint8Array) => void;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly count: (outcome: ShedOutcome) => void;
  /** The server ended the subscription, or a request could not be handled. */
  readonly onFault: (fault: unknown) => void;
}

/** The clients of one request are asked over this time, and the next request's after them. */
const SPREAD_MS = 1_000;
/** The requester waits two seconds. A thread that takes longer than this asks its clients, but they are not counted. */
const ANSWER_MS = 1_000;

interface Asked {
  left: number;
  accepted: number;
  readonly answered: () => void;
}

export class Shedding {
  readonly #o: SheddingOptions;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  /** When the clients of all requests so far have been asked. */
  #freeMs = Number.NEGATIVE_INFINITY;

  constructor(options: SheddingOptions) {
    this.#o = options;
  }

  /**
   * Answers requests from now on, and only at inboxes: with any other reply subject the sender would choose where this
   * shard publishes. No callback of the subscription throws or rejects.
   */
  listen(link: { ready(): Promise<ShedSource> }, subject: string): void {
    const { answer, onFault } = this.#o;
    const callback = (error: Error | null, { data, reply }: ShedMessage): void => {
      if (error !== null) return onFault(error);
      const inbox = reply !== undefined && isInbox(reply) ? reply : undefined;
      this.request(inbox === undefined ? undefined : data)
        .then((accepted) => {
          if (inbox !== undefined) answer(inbox, encodeShedAnswer({ accepted }));
        })
        .catch(onFault);
    };
    link.ready().then(
      (source) => source.subscribe(subject, { callback }),
      // Closed before it was ever connected: the process is ending.
      () => undefined,
    );
  }

  /** A thread's answer. */
  shedding(id: number, accepted: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    asked.accepted += accepted;
    asked.left--;
    if (asked.left === 0) asked.answered();
  }

  /** Returns how many clients are asked to move because of these bytes; without bytes, none. */
  async request(bytes: Uint8Array | undefined): Promise<number> {
    const { fit, nowMs, movesPerSecond, threads, count } = this.#o;
    const refuse = (outcome: ShedOutcome): number => {
      count(outcome);
      return 0;
    };
    const request = bytes === undefined ? undefined : decodeShedRequest(bytes);
    if (request === undefined) return refuse('invalid');
    if (!fit()) return refuse('unfit');
    const startInMs = Math.max(0, this.#freeMs - nowMs());
    if (startInMs > SPREAD_MS) return refuse('tooOften');
    this.#freeMs = nowMs() + startInMs + SPREAD_MS;
    const { withinMs } = request;
    const all = threads();
    const shares = divide(
      Math.min(request.moves, movesPerSecond),
      all.map(({ connections }) => connections),
    );
    const accepted = await this.#ask(
      all.flatMap((thread, i) => {
        const moves = shares[i] ?? 0;
        return moves > 0 ? [{ thread, order: { moves, withinMs, startInMs } }] : [];
      }),
    );
    count(accepted > 0 ? 'accepted' : 'nobody');
    return accepted;
  }

  async #ask(orders: readonly { readonly thread: ShedThread; readonly order: ShedOrder }[]): Promise<number> {
    if (orders.length === 0) return 0;
    const id = ++this.#lastId;
    let answered = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const asked: Asked = { left: orders.length, accepted: 0, answered };
    this.#asked.set(id, asked);
    for (const { thread, order } of orders) thread.ask(id, order);
    await Promise.race([all, this.#o.sleep(ANSWER_MS)]);
    this.#asked.delete(id);
    return asked.accepted;
  }
}
