import { JetStreamApiError } from '@nats-io/jetstream';

/** With the last sequence, or without it: the leader of a cluster sometimes leaves it out. */
const CODES: readonly number[] = [10071, 10164];

/** Whether a publish was refused because another message came first: its condition on the last sequence failed. */
export function isWrongLastSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && CODES.includes(error.code);
}
