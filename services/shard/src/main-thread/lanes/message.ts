// One message on its way from NATS into a lane: as it was read, and as it is after intake has checked it. Intake makes
// each object once; nothing on the way copies it.
import type { Lane } from '@weir/protocol';

/** A message of a stream. */
export interface Message {
  /** Its sequence in the stream; 0 for a cosmetic message, which no stream keeps. */
  readonly seq: number;
  /** The data subject, also if the message came over the live feed. */
  readonly subject: string;
  readonly data: Uint8Array;
  /** When the server stored it, in the server's own milliseconds. */
  readonly timeMs: number;
}

/** A message that may be broadcast: its subject and its payload are good. */
export interface CheckedMessage extends Message {
  readonly lane: Lane;
  readonly channel: string;
  /** Empty outside the state lane. */
  readonly key: string;
  /** The payload as latin1 text, one character a byte; undefined for a deletion. */
  readonly value: string | undefined;
}
