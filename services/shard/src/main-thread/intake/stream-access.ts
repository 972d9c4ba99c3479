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
  /** Creates the stream where it is missing and mends what Weir needs of it. */
  ensure(): Promise<void>;
  /** What the server says of it now; nothing where there is no such stream, or it does not feed us. */
  facts(): Promise<StreamFacts | undefined>;
  /** The first message that the stream keeps at or after a sequence. */
  first(seq: number): Promise<Identity | undefined>;
  /** A subject's newest message; nothing where the stream keeps none. */
  last(subject: string): Promise<Message | undefined>;
  /** Shows all messages in their order, without their content. Rejects where it stalls. */
  scan(take: (scanned: Scanned) => void): Promise<void>;
  /**
   * Stores a message where the newest one of its subject is still the one at `afterSeq` (0: where there is none).
   * `refused` where the stream is full or we may not publish; rejects where no answer came.
   */
  put(subject: string, data: Uint8Array, afterSeq: number): Promise<'kept' | 'overtaken' | 'refused'>;
  /** Writes both into the stream's metadata, for all shards. */
  writeEpoch(epoch: Pick<StreamFacts, 'generation' | 'hadMs'>): Promise<void>;
  /** Reads everything from a sequence to the present end. Rejects where it stalls. */
  fill(fromSeq: number, take: (message: Message) => void): Promise<void>;
  /** Calls `take` for every message that the stream stores from now on (some may be lost), `changed` for other news. */
  follow(take: (message: Message) => void, changed: () => void): { stop(): void };
}
