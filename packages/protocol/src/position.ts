// The resume position: opaque to clients, the same on every shard. Pure text <-> value.
import { createHash } from 'node:crypto';
import { limits } from './limits.ts';

/**
 * Up to where a connection has got everything of its channels. Sequences are those of the streams, so any shard
 * understands a position taken on another. `channels` are short hashes of the channels that it speaks for: a channel
 * that is not among them has to begin with a snapshot.
 */
export interface Position {
  readonly stateEpoch: string;
  readonly stateSeq: number;
  readonly criticalEpoch: string;
  readonly criticalSeq: number;
  readonly channels: readonly string[];
}

const FORMAT =
  /^1\.([0-9a-z-]{1,40})\.([0-9a-z]{1,11})\.([0-9a-z-]{1,40})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{0,600})$/;
const HASH_CHARS = 6;

/** Hash of a channel's name within a position: 36 bits, so that two channels of one client practically never meet. */
export function channelHash(channel: string): string {
  return createHash('sha256').update(channel).digest('base64url').slice(0, HASH_CHARS);
}

/** The text of a position: URL-safe, at most `limits.positionChars` characters. */
export function encodePosition(position: Position): string {
  const numbers = `${position.stateEpoch}.${position.stateSeq.toString(36)}.${position.criticalEpoch}.${position.criticalSeq.toString(36)}`;
  return `1.${numbers}.${position.channels.join('')}`;
}

/** The value of a position's text; nothing where it is not one. */
export function decodePosition(text: string): Position | undefined {
  const match = text.length <= limits.positionChars ? FORMAT.exec(text) : null;
  if (match === null) return undefined;
  const [, stateEpoch, state, criticalEpoch, critical, hashes] = match;
  if (!stateEpoch || !state || !criticalEpoch || !critical || hashes === undefined) return undefined;
  const stateSeq = Number.parseInt(state, 36);
  const criticalSeq = Number.parseInt(critical, 36);
  const whole = hashes.length % HASH_CHARS === 0;
  if (!whole || !Number.isSafeInteger(stateSeq) || !Number.isSafeInteger(criticalSeq)) return undefined;
  const channels = hashes.match(/.{6}/g) ?? [];
  return { stateEpoch, stateSeq, criticalEpoch, criticalSeq, channels };
}
