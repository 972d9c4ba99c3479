import { decodeShedAnswer, encodeShedRequest } from '@weir/fleet';
import { describe, expect, it } from 'vitest';
import type { ShedOrder } from '../../port/messages.ts';
import type { SheddingOptions, ShedMessage, ShedOutcome, ShedSource } from './shedding.ts';
import { Shedding } from './shedding.ts';

interface Bench {
  readonly shedding: Shedding;
  readonly orders: (ShedOrder & { readonly thread: number; readonly id: number })[];
  readonly outcomes: ShedOutcome[];
  readonly answers: { readonly subject: string; readonly accepted: number | undefined }[];
  readonly faults: unknown[];
  readonly clock: { nowMs: number };
  /** Ends the longest wait for the threads. */
  readonly timeOut: () => void;
}

/** `has`: clients by thread. `accepts`: how many a thread answers with; nothing where it does not answer. */
function setUp(o: {
  readonly has: readonly number[];
  readonly accepts?: (moves: number, thread: number) => number | undefined;
  readonly options?: Partial<SheddingOptions>;
}): Bench {
  const { accepts = (moves) => moves } = o;
  const clock = { nowMs: 5_000 };
  const waits: (() => void)[] = [];
  const bench: Omit<Bench, 'shedding'> = {
    orders: [],
    outcomes: [],
    answers: [],
    faults: [],
    clock,
    timeOut: () => waits.shift()?.(),
  };
  const shedding: Shedding = new Shedding({
    movesPerSecond: 500,
    fit: () => true,
    threads: () =>
      o.has.map((connections, thread) => ({
        connections,
        ask: (id, order) => {
          bench.orders.push({ thread, id, ...order });
          const accepted = accepts(order.moves, thread);
          if (accepted !== undefined) queueMicrotask(() => shedding.shedding(id, accepted));
        },
      })),
    answer: (subject, bytes) => bench.answers.push({ subject, accepted: decodeShedAnswer(bytes)?.accepted }),
    nowMs: () => clock.nowMs,
    sleep: () => new Promise((resolve) => waits.push(resolve)),
    count: (outcome) => bench.outcomes.push(outcome),
    onFault: (fault) => bench.faults.push(fault),
    ...o.options,
  });
  return { shedding, ...bench };
}

const request = (moves: number): Uint8Array => encodeShedRequest({ moves, withinMs: 4_000 });

describe('a request to shed', () => {
  it('is divided among the threads by their clients, and answered with their sum', async () => {
    const { shedding, orders, outcomes } = setUp({
      has: [300, 0, 100],
      accepts: (moves, thread) => (thread === 0 ? moves - 5 : moves),
    });
    expect(await shedding.request(request(100))).toBe(95);
    expect(orders).toEqual([
      { thread: 0, id: 1, moves: 75, withinMs: 4_000, startInMs: 0 },
      { thread: 2, id: 1, moves: 25, withinMs: 4_000, startInMs: 0 },
    ]);
    expect(outcomes).toEqual(['accepted']);
  });

  it('asks at most the moves of one second', async () => {
    const { shedding } = setUp({ has: [1_000], options: { movesPerSecond: 20 } });
    expect(await shedding.request(request(500))).toBe(20);
  });

  it('follows the earlier one; a third at the same time moves no client', async () => {
    const { shedding, orders, outcomes, clock } = setUp({ has: [1_000] });
    await shedding.request(request(10));
    clock.nowMs += 990;
    await shedding.request(request(10));
    expect(orders.map(({ startInMs }) => startInMs)).toEqual([0, 10]);
    expect(await shedding.request(request(10))).toBe(0);
    clock.nowMs += 1_010;
    expect(await shedding.request(request(10))).toBe(10);
    expect(orders.at(-1)?.startInMs).toBe(0);
    expect(outcomes).toEqual(['accepted', 'accepted', 'tooOften', 'accepted']);
  });

  it('moves no client while the shard drains, is stale or not ready', async () => {
    const { shedding, orders, outcomes } = setUp({ has: [10], options: { fit: () => false } });
    expect(await shedding.request(request(10))).toBe(0);
    expect([orders, outcomes]).toEqual([[], ['unfit']]);
  });

  it('moves no client if there is none, or none may be asked', async () => {
    const nobody = setUp({ has: [0, 0] });
    expect(await nobody.shedding.request(request(10))).toBe(0);
    const tooNew = setUp({ has: [10], accepts: () => 0 });
    expect(await tooNew.shedding.request(request(10))).toBe(0);
    expect([nobody.outcomes, tooNew.outcomes]).toEqual([['nobody'], ['nobody']]);
  });

  it('does not wait for a thread that does not answer', async () => {
    const { shedding, timeOut } = setUp({
      has: [50, 50],
      accepts: (moves, thread) => (thread === 0 ? moves : undefined),
    });
    const accepted = shedding.request(request(10));
    await Promise.resolve();
    timeOut();
    expect(await accepted).toBe(5);
    expect(() => shedding.shedding(1, 5)).not.toThrow();
  });

  it.each([
    ['not JSON', 'x'],
    ['of another version', '{"v":2,"moves":1,"withinMs":5000}'],
    ['without a number', '{"v":1,"withinMs":5000}'],
    ['too many', '{"v":1,"moves":501,"withinMs":5000}'],
    ['too soon', '{"v":1,"moves":1,"withinMs":10}'],
    ['too long', `{"v":1,"moves":1,"withinMs":5000,"x":"${'x'.repeat(300)}"}`],
  ])('that is none is counted: %s', async (_what, text) => {
    const { shedding, outcomes, orders } = setUp({ has: [10] });
    expect(await shedding.request(new TextEncoder().encode(text))).toBe(0);
    expect([orders, outcomes]).toEqual([[], ['invalid']]);
  });
});

describe('the subscription', () => {
  const listening = async (bench: Bench): Promise<(error: Error | null, message: ShedMessage) => void> => {
    const heard: ((error: Error | null, message: ShedMessage) => void)[] = [];
    const source: ShedSource = { subscribe: (_subject, { callback }) => heard.push(callback) };
    bench.shedding.listen({ ready: () => Promise.resolve(source) }, 's');
    await settled();
    const [callback] = heard;
    if (callback === undefined) throw new Error('it does not subscribe');
    return callback;
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('answers requests, bad ones too', async () => {
    const bench = setUp({ has: [10] });
    const hear = await listening(bench);
    hear(null, { data: request(3), reply: '_INBOX.r1' });
    hear(null, { data: new Uint8Array(), reply: '_INBOX.r2.t' });
    await settled();
    expect(bench.answers.toSorted((a, b) => (a.subject < b.subject ? -1 : 1))).toEqual([
      { subject: '_INBOX.r1', accepted: 3 },
      { subject: '_INBOX.r2.t', accepted: 0 },
    ]);
  });

  it.each([
    undefined,
    '',
    '_INBOX',
    '_INBOX.',
    '_INBOX.*',
    '_INBOX.a.>',
    '_INBOX.a b',
    `_INBOX.${'a'.repeat(300)}`,
    '_INBOXES.a',
    'weir.state.x.stolen',
    'weir.ctl.shed.s',
    '$JS.API.STREAM.PURGE.WEIR_STATE',
  ])('moves no client and answers nothing where the reply is no inbox: %s', async (reply) => {
    const bench = setUp({ has: [10] });
    (await listening(bench))(null, { data: request(3), ...(reply === undefined ? {} : { reply }) });
    await settled();
    expect([bench.answers, bench.outcomes, bench.faults]).toEqual([[], ['invalid'], []]);
  });

  it('reports an answer that cannot be published, and continues', async () => {
    const fault = new Error('closed');
    const fail = (): never => {
      throw fault;
    };
    const bench = setUp({ has: [10], options: { answer: fail } });
    (await listening(bench))(null, { data: request(3), reply: '_INBOX.r1' });
    await settled();
    expect(bench.faults).toEqual([fault]);
  });

  it('tells that the server ended it', async () => {
    const bench = setUp({ has: [10] });
    (await listening(bench))(new Error('permissions violation'), { data: new Uint8Array() });
    expect(bench.faults).toHaveLength(1);
  });
});
