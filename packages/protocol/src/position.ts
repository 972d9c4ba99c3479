// The resume position: opaque to clients, the same on every shard. Pure text <-> value.
import { createHash } from 'node:crypto';
import { limits } from './limits.ts';

/**
 * The point up to which a connection has received everything of its channels. The sequences are the streams', so any
 * shard understands a position from another shard. `channels` are short hashes of the covered channels: any other
 * channel has to begin with a snapshot.
 */
export interface Position {
  readonly stateEpoch: string;
  readonly stateSeq: number;
  readonly criticalEpoch: string;
  readonly criticalSeq: number;
  /**
   * When the server stored the last message up to each of the two sequences, in its milliseconds; 0 if there was none,
   * and missing in positions of older shards. A stream that went back has other messages there, stored later.
   */
  readonly stateMs?: number | undefined;
  readonly criticalMs?: number | undefined;
  readonly channels: readonly string[];
}

const SEQS = '([0-9a-z-]{1,32})\\.([0-9a-z]{1,11})\\.([0-9a-z-]{1,32})\\.([0-9a-z]{1,11})';
const HASHES = '([A-Za-z0-9_-]{0,600})';
/** The second format has times behind the sequences; the first has none. */
const FORMAT = new RegExp(`^2\\.${SEQS}\\.([0-9a-z]{1,9})\\.([0-9a-z]{1,9})\\.${HASHES}$`);
const FIRST_FORMAT = new RegExp(`^1\\.${SEQS}()()\\.${HASHES}$`);
const HASH_CHARS = 6;

/** Hash of a channel's name within a position: 36 bits, so that two channels of one client practically never meet. */
export function channelHash(channel: string): string {
  return createHash('sha256').update(channel).digest('base64url').slice(0, HASH_CHARS);
}

/** Whether a position speaks for a channel. */
export function covers({ channels }: Pick<Position, 'channels'>, channel: string): boolean {
  return channels.includes(channelHash(channel));
}

/** The text of a position: URL-safe, at most `limits.positionChars` characters. */
export function encodePosition(position: Position): string {
  const { stateEpoch, stateSeq, criticalEpoch, criticalSeq, stateMs, criticalMs, channels } = position;
  const seqs = `${stateEpoch}.${stateSeq.toString(36)}.${criticalEpoch}.${criticalSeq.toString(36)}`;
  if (stateMs === undefined || criticalMs === undefined) return `1.${seqs}.${channels.join('')}`;
  return `2.${seqs}.${stateMs.toString(36)}.${criticalMs.toString(36)}.${channels.join('')}`;
}

/** The value of a position's text; undefined if it is not valid. */
export function decodePosition(text: string): Position | undefined {
  const match = text.length <= limits.positionChars ? (FORMAT.exec(text) ?? FIRST_FORMAT.exec(text)) : null;
  if (match === null) return undefined;
  const [, stateEpoch, state, criticalEpoch, critical, stateTime, criticalTime, hashes] = match;
  if (!stateEpoch || !state || !criticalEpoch || !critical || hashes === undefined) return undefined;
  const stateSeq = Number.parseInt(state, 36);
  const criticalSeq = Number.parseInt(critical, 36);
  const whole = hashes.length % HASH_CHARS === 0;
  if (!whole || !Number.isSafeInteger(stateSeq) || !Number.isSafeInteger(criticalSeq)) return undefined;
  const channels = hashes.match(/.{6}/g) ?? [];
  const position = { stateEpoch, stateSeq, criticalEpoch, criticalSeq, channels };
  if (!stateTime || !criticalTime) return position;
  return {
    ...position,
    stateMs: Number.parseInt(stateTime, 36),
    criticalMs: Number.parseInt(criticalTime, 36),
  };
}
