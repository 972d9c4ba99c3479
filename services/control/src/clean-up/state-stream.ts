// The clean-up's access to the state stream: sizes without payloads, marks, and removal by sequence. Decides nothing.
import type { JetStreamManager } from '@nats-io/jetstream';
import { AckPolicy, DeliverPolicy, JetStreamApiError, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { CleanupMark } from '@weir/protocol';
import { decodeCleanupMark, encodeCleanupMark } from '@weir/protocol';
import type { NatsConnection } from '@weir/runtime';
import { isWrongLastSequence } from '@weir/runtime';

/** The server's information about the stream. */
export interface StateFacts {
  readonly createdMs: number;
  readonly lastSeq: number;
  /** The server's wall clock at that time. */
  readonly nowMs: number;
}

/** A message of the stream without its payload. */
export interface MessageHead {
  readonly seq: number;
  readonly timeMs: number;
  readonly isEmpty: boolean;
}

/** `other`: another control has written a mark since; `full`: the stream has no room for a first mark. */
export type MarkOutcome = 'kept' | 'other' | 'full';

export interface PlacedMark {
  readonly seq: number;
  readonly timeMs: number;
  readonly mark: CleanupMark | undefined;
}

/** The stream's operations that the clean-up uses; tests replace them. */
export interface StateStream {
  /** Undefined if there is no such stream. */
  facts(): Promise<StateFacts | undefined>;
  /** Passes the heads of up to `max` messages from a sequence on to `take`, oldest first, until it returns false. */
  read(
    from: { readonly seq: number; readonly max: number },
    take: (head: MessageHead) => boolean,
  ): Promise<void>;
  /** The newest mark, its place and time; place 0 if there is none. */
  readMark(): Promise<PlacedMark>;
  /** Writes a mark if the newest one is still that at `afterSeq`. */
  writeMark(mark: CleanupMark, afterSeq: number): Promise<{ outcome: MarkOutcome; seq: number }>;
  /** Removes one message, whatever its subject has by now; false if it is already gone. */
  remove(seq: number): Promise<boolean>;
}

const SIZE_HEADER = 'Nats-Msg-Size';
const CONSUMER_IDLE_NS = 30_000_000_000;
const FETCH_MS = 5_000;
/** The JetStream API's error codes that this file handles. */
const API = { noMessage: 10037, maxBytes: 10077 } as const;

export class JetStreamState implements StateStream {
  readonly #connection: NatsConnection;
  readonly #stream: string;
  readonly #markSubject: string;
  #manager: JetStreamManager | undefined;

  constructor(connection: NatsConnection, stream: string, markSubject: string) {
    this.#connection = connection;
    this.#stream = stream;
    this.#markSubject = markSubject;
  }

  async facts(): Promise<StateFacts | undefined> {
    try {
      const { created, state, ts } = await (await this.#jsm()).streams.info(this.#stream);
      return {
        createdMs: Date.parse(created),
        lastSeq: state.last_seq,
        nowMs: ts === undefined ? Date.now() : Date.parse(ts),
      };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async read(
    from: { readonly seq: number; readonly max: number },
    take: (head: MessageHead) => boolean,
  ): Promise<void> {
    const manager = await this.#jsm();
    const created = await manager.consumers.add(this.#stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, from.seq),
      headers_only: true,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: CONSUMER_IDLE_NS,
    });
    try {
      const count = Math.min(from.max, created.num_pending);
      if (count === 0) return;
      const consumer = await jetstream(this.#connection).consumers.get(this.#stream, created.name);
      const messages = await consumer.fetch({ max_messages: count, expires: FETCH_MS });
      for await (const message of messages) {
        const timeMs = Math.floor(message.info.timestampNanos / 1_000_000);
        const isEmpty = message.headers?.last(SIZE_HEADER) === '0';
        if (!take({ seq: message.seq, timeMs, isEmpty })) break;
      }
      await messages.close();
    } finally {
      // The server also deletes it after a time without pulls.
      manager.consumers.delete(this.#stream, created.name).catch(() => undefined);
    }
  }

  async readMark(): Promise<PlacedMark> {
    const manager = await this.#jsm();
    try {
      const stored = await manager.streams.getMessage(this.#stream, { last_by_subj: this.#markSubject });
      if (stored !== null)
        return { seq: stored.seq, timeMs: stored.time.getTime(), mark: decodeCleanupMark(stored.data) };
    } catch (error) {
      if (codeOf(error) !== API.noMessage) throw error;
    }
    return { seq: 0, timeMs: 0, mark: undefined };
  }

  async writeMark(mark: CleanupMark, afterSeq: number): Promise<{ outcome: MarkOutcome; seq: number }> {
    try {
      const { seq } = await jetstream(this.#connection).publish(this.#markSubject, encodeCleanupMark(mark), {
        expect: { streamName: this.#stream, lastSubjectSequence: afterSeq },
      });
      return { outcome: 'kept', seq };
    } catch (error) {
      if (isWrongLastSequence(error)) return { outcome: 'other', seq: 0 };
      if (codeOf(error) === API.maxBytes) return { outcome: 'full', seq: 0 };
      throw error;
    }
  }

  async remove(seq: number): Promise<boolean> {
    try {
      return await (await this.#jsm()).streams.deleteMessage(this.#stream, seq, false);
    } catch (error) {
      // Its subject has a newer message, or another control was faster.
      if (codeOf(error) === API.noMessage || statusOf(error) === 404) return false;
      throw error;
    }
  }

  async #jsm(): Promise<JetStreamManager> {
    this.#manager ??= await jetstreamManager(this.#connection, { checkAPI: false });
    return this.#manager;
  }
}

function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.status : undefined;
}
