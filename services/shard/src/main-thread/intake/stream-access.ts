// What a stream reader needs of NATS. nats-stream.ts has it; tests bring their own.
import type { Message } from '../lanes/message.ts';
import type { StreamFacts } from './epoch.ts';
import type { Identity } from './history.ts';

/** A message without its content; good only until the next one. */
export interface Scanned {
  readonly seq: number;
  readonly subject: string;
  /** Bytes of its payload. */
  size(): number;
}

export interface StreamAccess {
  /** Creates the stream if it is missing, and mends the settings that Weir needs. */
  ensure(): Promise<void>;
  /** What the server says of the stream now; undefined if there is none that this shard can read. */
  facts(): Promise<StreamFacts | undefined>;
  /** The first message that the stream keeps at or after a sequence. */
  first(seq: number): Promise<Identity | undefined>;
  /** A subject's newest message; undefined if the stream keeps none. */
  last(subject: string): Promise<Message | undefined>;
  /** How many messages the stream keeps of each subject. */
  counts(): Promise<ReadonlyMap<string, number>>;
  /** The sequence of a subject's oldest message; undefined if the stream keeps none. */
  oldest(subject: string): Promise<number | undefined>;
  /** Shows all messages in their order, without their content. Rejects if it stalls. */
  scan(take: (scanned: Scanned) => void): Promise<void>;
  /**
   * Stores a message if the newest one of its subject is still the one at `afterSeq` (0: if there is none).
   * `refused` if the stream is full or the shard may not publish; rejects if no answer came.
   */
  put(subject: string, data: Uint8Array, afterSeq: number): Promise<'kept' | 'overtaken' | 'refused'>;
  /** Writes both into the stream's metadata, for all shards. */
  writeEpoch(epoch: Pick<StreamFacts, 'generation' | 'hadMs'>): Promise<void>;
  /** Reads everything from a sequence to the present end. Rejects if it stalls. */
  fill(fromSeq: number, take: (message: Message) => void): Promise<void>;
  /** Calls `take` for every message that the stream stores from now on (some may be lost), `changed` for other news. */
  follow(take: (message: Message) => void, changed: () => void): { stop(): void };
}
