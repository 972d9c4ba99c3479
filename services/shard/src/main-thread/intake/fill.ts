// Reads what a consumer has at present, in the order of its deliveries, or fails: the reader rather begins anew than goes
// on without a message. The fill throws nothing at the NATS library and leaves nothing of the consumer behind.

import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { Message } from '../lanes/message.ts';

const BATCH = 1_000;
/** A fill counts as stalled after this many steps without a message. */
const STALL_STEPS = 10;
const STEP_MS = 500;
/** Longest wait for the end of a fill; it ends by itself after that. */
const CLOSE_MS = 1_000;

/** A fill had no message for too long, or lost one on the way. The reader begins anew. */
class StreamStalledError extends Error {
  readonly code = 'STREAM_STALLED';

  constructor(stream: string) {
    super(`reading stream ${stream} stalled`);
    this.name = 'StreamStalledError';
  }
}

/** Hands on everything that is pending for a new consumer, at least one message. */
export async function fill(o: {
  readonly consumer: Pick<Consumer, 'consume'>;
  readonly stream: string;
  readonly take: (message: JsMsg) => void;
}): Promise<void> {
  let delivered = 0;
  let quietSteps = 0;
  let consuming: Promise<ConsumerMessages> | undefined;
  let watch: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      let over = false;
      const fail = (error: unknown): void => {
        over = true;
        reject(error);
      };
      const onMessage = (message: JsMsg): void => {
        quietSteps = 0;
        const { deliverySequence, pending } = message.info;
        if (deliverySequence !== delivered + 1) return fail(new StreamStalledError(o.stream));
        delivered = deliverySequence;
        o.take(message);
        if (pending > 0) return;
        over = true;
        resolve();
      };
      watch = setInterval(() => {
        quietSteps++;
        if (quietSteps > STALL_STEPS) fail(new StreamStalledError(o.stream));
      }, STEP_MS);
      consuming = o.consumer.consume({
        max_messages: BATCH,
        callback: (message) => {
          if (over) return;
          try {
            onMessage(message);
          } catch (error) {
            fail(error);
          }
        },
      });
      consuming.catch(fail);
    });
  } finally {
    clearInterval(watch);
    await close(consuming);
  }
}

/** Ends a consumer's messages, even if they begin only after the fill has given up. */
async function close(consuming: Promise<ConsumerMessages> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    consuming?.then((messages) => messages.close()).catch(() => undefined),
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    }),
  ]);
  clearTimeout(timer);
}

/** A message with its content. */
export function stored(message: JsMsg): Message {
  const { seq, subject, data, info } = message;
  return { seq, subject, data, timeMs: Math.floor(info.timestampNanos / 1_000_000) };
}

/** Bytes of a message's content, also if the message came without it. */
export function sizeOf({ headers, data }: JsMsg): number {
  return Number(headers?.get('Nats-Msg-Size') || data.length);
}
