// Asks a shard over NATS to send some of its clients away.
import { decodeShedAnswer, encodeShedRequest } from '@weir/fleet';
import type { Subjects } from '@weir/protocol';
import type { NatsLink } from '@weir/runtime';

const answerTimeoutMs = 2_000;

/** Answers how many clients the shard will send away; undefined if it does not answer in time. */
export async function askToShed(
  {
    link,
    subjects,
    withinMs,
  }: { readonly link: NatsLink; readonly subjects: Subjects; readonly withinMs: number },
  shard: string,
  moves: number,
): Promise<number | undefined> {
  if (!link.connected || link.connection === undefined) return undefined;
  const request = encodeShedRequest({ moves, withinMs });
  try {
    const reply = await link.connection.request(subjects.shed(shard), request, { timeout: answerTimeoutMs });
    return decodeShedAnswer(reply.data)?.accepted;
  } catch {
    return undefined;
  }
}
