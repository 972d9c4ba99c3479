import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { until } from './small-cluster.ts';

/**
 * Publishes until a stream has stored the message: for a moment the stream or the server may be missing. Resolves with
 * its sequence number. With an `id` the stream drops duplicates.
 */
export async function publishUntilKept(
  nats: NatsConnection,
  message: { readonly subject: string; readonly value: string; readonly id?: string },
  { ackMs = 500, deadlineMs }: { readonly ackMs?: number; readonly deadlineMs?: number } = {},
): Promise<number> {
  const { subject, value, id } = message;
  const options = id === undefined ? {} : { msgID: id };
  let seq = 0;
  await until(
    async () => {
      seq = await jetstream(nats, { timeout: ackMs })
        .publish(subject, value, options)
        .then(
          (ack) => ack.seq,
          () => 0,
        );
      return seq > 0;
    },
    `${id ?? subject} is kept`,
    deadlineMs,
  );
  return seq;
}
