// Checks the subject and the payload of a message, once for the whole shard.
import type { Lane, PayloadBounds, Subjects } from '@weir/protocol';
import { readPayload } from '@weir/protocol';
import type { CheckedMessage, Message } from '../lanes/message.ts';

/** Why a message cannot be broadcast. A closed set: it is a label of a metric and a header of `weir.rejected`. */
export const REJECT_REASONS = [
  'subject',
  'empty',
  'tooLarge',
  'notUtf8',
  'bom',
  'notJson',
  'tooDeep',
  'number',
  'stateFull',
  /** A fault of the shard; the message is left out. */
  'internal',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** Why a message is refused, and of which lane it is as far as its subject says. */
export interface Refusal {
  readonly reject: RejectReason;
  readonly lane: Lane | undefined;
}

/** Checks a message of a lane's subjects. Decodes its payload once. */
export function accept(
  { seq, subject, data, timeMs }: Message,
  subjects: Subjects,
  bounds: PayloadBounds,
): CheckedMessage | Refusal {
  const address = subjects.parse(subject);
  if (address === undefined) return { reject: 'subject', lane: subjects.laneOf(subject) };
  const { lane, channel } = address;
  const key = lane === 'state' ? address.key : '';
  const read = readPayload(data, bounds);
  if ('text' in read) return { seq, subject, data, timeMs, lane, channel, key, value: read.text };
  if (read.problem !== 'empty' || lane !== 'state') return { reject: read.problem, lane };
  return { seq, subject, data, timeMs, lane, channel, key, value: undefined };
}
