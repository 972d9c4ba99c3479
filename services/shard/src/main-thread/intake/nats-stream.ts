// A JetStream stream as the reader sees it: facts, fills by a short-lived consumer, and the live feed that the stream
// republishes to plain subscribers. It decides nothing.
import type { JetStreamClient, JetStreamManager, JsMsg, StreamConfig } from '@nats-io/jetstream';
import { AckPolicy, DeliverPolicy, JetStreamApiError, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { PermissionViolationError } from '@nats-io/transport-node';
import type { StreamDefinition } from '@weir/protocol';
import { isWrongLastSequence } from '@weir/runtime';
import type { Message } from '../lanes/message.ts';
import type { StreamFacts } from './epoch.ts';
import { followFeed } from './feed.ts';
import { fill, sizeOf, stored } from './fill.ts';
import type { Identity } from './history.ts';
import type { Scanned, StreamAccess } from './stream-access.ts';

const GENERATION = 'weir_generation';
const HAD = 'weir_had_ms';
const CONSUMER_IDLE_NS = 30_000_000_000;

interface NatsStreamOptions {
  readonly connection: NatsConnection;
  readonly definition: StreamDefinition;
  /** `again`: the stream was seen before. */
  readonly ensure: (again: boolean) => Promise<void>;
  /** The data subject behind a live subject. */
  readonly fromLive: (subject: string) => string;
  /** A message of the feed could not be read (any client of NATS can write its headers): it is missing until a fill. */
  readonly onFault: (fault: unknown) => void;
}

export class NatsStream implements StreamAccess {
  readonly #options: NatsStreamOptions;
  readonly #js: JetStreamClient;
  #manager: JetStreamManager | undefined;
  #wasThere = false;

  constructor(options: NatsStreamOptions) {
    this.#options = options;
    this.#js = jetstream(options.connection);
  }

  ensure(): Promise<void> {
    return this.#options.ensure(this.#wasThere);
  }

  async facts(): Promise<StreamFacts | undefined> {
    const { definition } = this.#options;
    const manager = await this.#jsm();
    try {
      const { created, config, state, ts } = await manager.streams.info(definition.name);
      this.#wasThere = true;
      if (!isUsable(config, definition)) return undefined;
      return {
        createdMs: Date.parse(created),
        generation: numberIn(config.metadata, GENERATION),
        hadMs: numberIn(config.metadata, HAD),
        firstSeq: state.first_seq,
        lastSeq: state.last_seq,
        messages: config.max_age > 0 ? undefined : state.messages,
        subjects: state.num_subjects ?? 0,
        agesOut: config.max_age > 0,
        maxPerSubject:
          config.max_msgs_per_subject > 0 ? config.max_msgs_per_subject : Number.POSITIVE_INFINITY,
        serverNowMs: ts === undefined ? Date.now() : Date.parse(ts),
      };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async first(seq: number): Promise<Identity | undefined> {
    const stored = await this.#stored({ seq, next_by_subj: '>' });
    return stored === undefined ? undefined : { ...stored, size: stored.data.length };
  }

  last(subject: string): Promise<Message | undefined> {
    return this.#stored({ last_by_subj: subject });
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    const manager = await this.#jsm();
    const { state } = await manager.streams.info(this.#options.definition.name, { subjects_filter: '>' });
    return new Map(Object.entries(state.subjects ?? {}));
  }

  async oldest(subject: string): Promise<number | undefined> {
    return (await this.#stored({ seq: 1, next_by_subj: subject }))?.seq;
  }

  /** Asks the leader: others may be behind. */
  async #stored(
    which: { readonly seq: number; readonly next_by_subj: string } | { readonly last_by_subj: string },
  ): Promise<Message | undefined> {
    const manager = await this.#jsm();
    try {
      const stored = await manager.streams.getMessage(this.#options.definition.name, which);
      if (stored === null) return undefined;
      const { seq, subject, time, data } = stored;
      return { seq, subject, data, timeMs: time.getTime() };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async writeEpoch({ generation, hadMs }: Pick<StreamFacts, 'generation' | 'hadMs'>): Promise<void> {
    const manager = await this.#jsm();
    const { name } = this.#options.definition;
    const { config } = await manager.streams.info(name);
    const metadata = { ...config.metadata, [GENERATION]: `${generation}`, [HAD]: `${hadMs}` };
    await manager.streams.update(name, { ...config, metadata });
  }

  fill(fromSeq: number, take: (message: Message) => void): Promise<void> {
    return this.#readFrom(fromSeq, { headersOnly: false }, (message) => take(stored(message)));
  }

  scan(take: (scanned: Scanned) => void): Promise<void> {
    return this.#readFrom(1, { headersOnly: true }, (message) =>
      take({ seq: message.seq, subject: message.subject, size: () => sizeOf(message) }),
    );
  }

  async put(subject: string, data: Uint8Array, afterSeq: number): Promise<'kept' | 'overtaken' | 'refused'> {
    try {
      await this.#js.publish(subject, data, {
        expect: { streamName: this.#options.definition.name, lastSubjectSequence: afterSeq },
      });
      return 'kept';
    } catch (error) {
      if (isWrongLastSequence(error)) return 'overtaken';
      if (error instanceof JetStreamApiError || isForbidden(error)) return 'refused';
      throw error;
    }
  }

  async #readFrom(
    fromSeq: number,
    { headersOnly }: { readonly headersOnly: boolean },
    take: (message: JsMsg) => void,
  ): Promise<void> {
    const { name } = this.#options.definition;
    const manager = await this.#jsm();
    const created = await manager.consumers.add(name, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, fromSeq),
      headers_only: headersOnly,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: CONSUMER_IDLE_NS,
    });
    try {
      if (created.num_pending === 0) return;
      const consumer = await this.#js.consumers.get(name, created.name);
      await fill({ consumer, stream: name, take });
    } finally {
      // The server drops the consumer by itself when no pull comes; a failed deletion is no failure of the fill.
      manager.consumers.delete(name, created.name).catch(() => undefined);
    }
  }

  follow(take: (message: Message) => void, changed: () => void): { stop(): void } {
    return followFeed({ ...this.#options, take, changed });
  }

  async #jsm(): Promise<JetStreamManager> {
    this.#manager ??= await jetstreamManager(this.#options.connection, { checkAPI: false });
    return this.#manager;
  }
}

/** Whether a stream stores and republishes what this shard reads, and as the shard reads it. */
function isUsable(
  { subjects, republish, max_msgs_per_subject: perSubject }: StreamConfig,
  definition: StreamDefinition,
): boolean {
  const { src, dest } = definition.republish;
  const isWhole = republish?.src === src && republish.dest === dest && republish.headers_only !== true;
  const isCounted =
    !definition.exact.includes('maxMsgsPerSubject') || perSubject === definition.maxMsgsPerSubject;
  return isWhole && isCounted && definition.subjects.every((subject) => subjects.includes(subject));
}

/** The number in the metadata; 0 if it is missing or no number. */
function numberIn(metadata: Readonly<Record<string, string>> | undefined, name: string): number {
  return Number.parseInt(metadata?.[name] ?? '0', 10) || 0;
}

function isForbidden(error: unknown): boolean {
  if (error instanceof PermissionViolationError) return true;
  return error instanceof Error && error.cause !== undefined && isForbidden(error.cause);
}

function isNotFound(error: unknown): boolean {
  // `code` is the number within JetStream (10059 no stream, 10037 no message), `status` the kind.
  return error instanceof JetStreamApiError && error.status === 404;
}
