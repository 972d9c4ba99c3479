import { JetStreamApiError } from '@nats-io/jetstream';

/** With the sequence that there is, and (from the leader of a cluster, at times) without it. */
const CODES: readonly number[] = [10071, 10164];

/** Whether a publish was refused since another message came before it: its condition on the last sequence failed. */
export function isWrongLastSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && CODES.includes(error.code);
}
