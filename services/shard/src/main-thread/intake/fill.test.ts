import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fill, stored } from './fill.ts';

type Consume = Consumer['consume'];

/** A consumer whose messages are delivered by hand. */
class FakeConsumer {
  closed = 0;
  /** What nats.js calls for each message. */
  deliver: (message: JsMsg) => void = () => undefined;
  /** Lets `consume` resolve, where it does not at once. */
  begin: () => void = () => undefined;
  readonly #how: 'atOnce' | 'later' | 'fails';

  constructor(how: 'atOnce' | 'later' | 'fails' = 'atOnce') {
    this.#how = how;
  }

  consume: Consume = async (options) => {
    this.deliver = (message) => options?.callback?.(message);
    if (this.#how === 'fails') throw new Error('no responders');
    if (this.#how === 'later') {
      await new Promise<void>((resolve) => {
        this.begin = resolve;
      });
    }
    const close: ConsumerMessages['close'] = async () => {
      this.closed++;
    };
    return { close } as ConsumerMessages;
  };
}

function message(at: { readonly delivery: number; readonly seq: number; readonly pending: number }): JsMsg {
  const info = {
    deliverySequence: at.delivery,
    pending: at.pending,
    timestampNanos: 1_700_000_000_123_456_000 + at.seq,
  };
  return { seq: at.seq, subject: 'weir.state.a.b', data: Buffer.from('1'), info } as unknown as JsMsg;
}

function start(
  consumer: FakeConsumer,
  take?: (message: JsMsg) => void,
): { taken: number[]; result: Promise<string> } {
  const taken: number[] = [];
  const reading = fill({ consumer, stream: 'S', take: take ?? (({ seq }) => taken.push(seq)) });
  return {
    taken,
    result: reading.then(
      () => 'done',
      (error: Error) => error.message,
    ),
  };
}

describe('fill', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('passes on pending messages, over holes in the stream, and ends with the last one', async () => {
    const consumer = new FakeConsumer();
    const { taken, result } = start(consumer);
    consumer.deliver(message({ delivery: 1, seq: 5, pending: 2 }));
    consumer.deliver(message({ delivery: 2, seq: 9, pending: 1 }));
    consumer.deliver(message({ delivery: 3, seq: 10, pending: 0 }));
    expect([await result, taken, consumer.closed]).toEqual(['done', [5, 9, 10], 1]);
  });

  it('passes the time on in milliseconds', async () => {
    const consumer = new FakeConsumer();
    const times: number[] = [];
    const { result } = start(consumer, (message) => times.push(stored(message).timeMs));
    consumer.deliver(message({ delivery: 1, seq: 1, pending: 0 }));
    await result;
    expect(times).toEqual([1_700_000_000_123]);
  });

  it('ignores messages after its end', async () => {
    const consumer = new FakeConsumer();
    const { taken, result } = start(consumer);
    consumer.deliver(message({ delivery: 1, seq: 1, pending: 0 }));
    consumer.deliver(message({ delivery: 2, seq: 2, pending: 0 }));
    expect([await result, taken]).toEqual(['done', [1]]);
  });

  it('fails if a delivery was lost, and takes no later message', async () => {
    const consumer = new FakeConsumer();
    const { taken, result } = start(consumer);
    consumer.deliver(message({ delivery: 1, seq: 1, pending: 3 }));
    consumer.deliver(message({ delivery: 3, seq: 3, pending: 1 }));
    consumer.deliver(message({ delivery: 2, seq: 2, pending: 2 }));
    expect([await result, taken, consumer.closed]).toEqual(['reading stream S stalled', [1], 1]);
  });

  it('fails if no message arrives for five seconds, and not before', async () => {
    const consumer = new FakeConsumer();
    const { taken, result } = start(consumer);
    consumer.deliver(message({ delivery: 1, seq: 1, pending: 9 }));
    await vi.advanceTimersByTimeAsync(4_900);
    consumer.deliver(message({ delivery: 2, seq: 2, pending: 8 }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([await result, taken, consumer.closed]).toEqual(['reading stream S stalled', [1, 2], 1]);
  });

  it('fails if its callback fails, and throws nothing into the library', async () => {
    const consumer = new FakeConsumer();
    const { result } = start(consumer, () => {
      throw new Error('broken');
    });
    expect(() => consumer.deliver(message({ delivery: 1, seq: 1, pending: 1 }))).not.toThrow();
    expect([await result, consumer.closed]).toEqual(['broken', 1]);
  });

  it('fails if the consumer cannot be read', async () => {
    expect(await start(new FakeConsumer('fails')).result).toBe('no responders');
  });

  it('ends a subscription that begins after its failure', async () => {
    const consumer = new FakeConsumer('later');
    const { result } = start(consumer);
    await vi.advanceTimersByTimeAsync(8_000);
    expect([await result, consumer.closed]).toEqual(['reading stream S stalled', 0]);
    consumer.begin();
    await vi.advanceTimersByTimeAsync(0);
    expect(consumer.closed).toBe(1);
  });
});
