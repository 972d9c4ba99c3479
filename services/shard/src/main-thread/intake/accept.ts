// From a NATS message to a lane's entry: subject and payload are checked here, once per shard process.
import type { Address, Lane, PayloadBounds, Subjects } from '@weir/protocol';
import { validatePayload } from '@weir/protocol';

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
  /** A fault of ours; the message is left out. */
  'internal',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** A message that may be broadcast; `value` is the payload as latin1 text, or nothing for a deletion. */
export interface Accepted {
  readonly address: Address;
  readonly value: string | undefined;
}

/** Checks a message of a lane's subjects. */
export function accept(
  message: { readonly subject: string; readonly data: Uint8Array },
  subjects: Subjects,
  bounds: PayloadBounds,
): Accepted | { readonly reject: RejectReason; readonly lane: Lane | undefined } {
  const address = subjects.parse(message.subject);
  if (address === undefined) return { reject: 'subject', lane: subjects.laneOf(message.subject) };
  const verdict = validatePayload(message.data, bounds);
  if (verdict === 'empty' && address.lane === 'state') return { address, value: undefined };
  if (verdict !== 'ok') return { reject: verdict, lane: address.lane };
  const { buffer, byteOffset, byteLength } = message.data;
  return { address, value: Buffer.from(buffer, byteOffset, byteLength).toString('latin1') };
}
