import { createSubjects } from '@weir/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Message } from '../parse/message.ts';
import type { Outcome } from './outcome.ts';
import { Sender } from './sender.ts';
import type { Envelope, Transport } from './transport.ts';

/** A NATS whose acknowledgements come on command. */
class FakeTransport implements Transport {
  connected = true;
  readonly sent: Envelope[] = [];
  readonly plain: string[] = [];
  readonly #answers: ((outcome: Outcome) => void)[] = [];
  readonly #listeners: (() => void)[] = [];
  /** If set, every message is answered at once. */
  automatic: ((envelope: Envelope) => Outcome) | undefined;

  publishKept(envelope: Envelope): Promise<Outcome> {
    this.sent.push(envelope);
    if (this.automatic !== undefined) return Promise.resolve(this.automatic(envelope));
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  publishPlain(envelope: Envelope): Promise<Outcome> {
    this.plain.push(envelope.subject);
    return Promise.resolve({ kind: 'sent' });
  }

  onDisconnected(listener: () => void): void {
    this.#listeners.push(listener);
  }

  answer(outcome: Outcome): void {
    this.#answers.shift()?.(outcome);
  }

  disconnect(): void {
    this.connected = false;
    for (const listener of this.#listeners) listener();
  }
}

const kept = (seq: number): Outcome => ({ kind: 'kept', stream: 'S', seq, duplicate: false });
const critical = (data: string, id?: string): Message => ({
  address: { lane: 'critical', channel: 'c' },
  data: Buffer.from(data),
  ...(id === undefined ? {} : { id }),
});

function start(maxInFlight = 2) {
  const transport = new FakeTransport();
  const told: string[] = [];
  const sender = new Sender({
    transport,
    subjects: createSubjects('weir'),
    ackTimeoutMs: 1_000,
    maxInFlight,
    clock: { monotonicMs: () => Date.now(), wallMs: () => Date.now() },
    observe: ({ lane, outcome }) => told.push(`${lane} ${outcome.kind}`),
  });
  return { transport, sender, told };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Sender', () => {
  it('publishes in order, and answers in the order of the messages', async () => {
    const { transport, sender } = start();
    let seq = 0;
    transport.automatic = () => kept(++seq);
    const outcomes = await sender.sendAll(['1', '2', '3', '4', '5'].map((data) => critical(data)));
    expect(transport.sent.map(({ data }) => Buffer.from(data).toString())).toEqual(['1', '2', '3', '4', '5']);
    expect(outcomes).toEqual([1, 2, 3, 4, 5].map(kept));
  });

  it('has no more messages in flight than its limit', async () => {
    const { transport, sender } = start(2);
    const all = sender.sendAll(['1', '2', '3'].map((data) => critical(data)));
    await vi.advanceTimersByTimeAsync(0);
    expect(transport.sent).toHaveLength(2);
    expect(sender.inFlight).toBe(2);
    transport.answer(kept(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(transport.sent).toHaveLength(3);
    transport.answer(kept(2));
    transport.answer(kept(3));
    expect(await all).toHaveLength(3);
    expect(sender.inFlight).toBe(0);
  });

  it('passes the subject of the address, the bytes and the id', async () => {
    const { transport, sender } = start();
    transport.automatic = () => kept(1);
    const state: Message = { address: { lane: 'state', channel: 'a.b', key: 'k' }, data: new Uint8Array(0) };
    await sender.sendAll([state, critical('1.0', 'x')]);
    expect(transport.sent).toEqual([
      { subject: 'weir.state.a.b.k', data: new Uint8Array(0), id: undefined },
      { subject: 'weir.critical.c', data: Buffer.from('1.0'), id: 'x' },
    ]);
    const cosmetic: Message = { address: { lane: 'cosmetic', channel: 'c' }, data: Buffer.from('1') };
    expect(await sender.sendAll([cosmetic])).toEqual([{ kind: 'sent' }]);
    expect(transport.plain).toEqual(['weir.cosmetic.c']);
  });

  it('reports at once that nothing is kept while NATS is away', async () => {
    const { transport, sender, told } = start();
    transport.disconnect();
    expect(await sender.sendAll([critical('1')])).toEqual([{ kind: 'unavailable' }]);
    expect(transport.sent).toEqual([]);
    expect(told).toEqual(['critical unavailable']);
  });

  it('reports messages in flight as unknown when the connection breaks, and the rest as unavailable', async () => {
    const { transport, sender, told } = start(2);
    const all = sender.sendAll(['1', '2', '3'].map((data) => critical(data)));
    await vi.advanceTimersByTimeAsync(0);
    transport.disconnect();
    expect(await all).toEqual([{ kind: 'unknown' }, { kind: 'unknown' }, { kind: 'unavailable' }]);
    expect(told.sort()).toEqual(['critical unavailable', 'critical unknown', 'critical unknown']);
    expect(sender.inFlight).toBe(0);
  });

  it('sends no more of a batch once a server has gone silent', async () => {
    const { transport, sender } = start(2);
    const all = sender.sendAll(Array.from({ length: 50 }, (_, i) => critical(`${i}`)));
    await vi.advanceTimersByTimeAsync(3_000);
    const kinds = (await all).map(({ kind }) => kind);
    expect(kinds.slice(0, 2)).toEqual(['unknown', 'unknown']);
    expect(kinds.at(-1)).toBe('unavailable');
    expect(transport.sent.length).toBeLessThan(6);
  });

  it('lets no message wait for its turn longer than for an acknowledgement', async () => {
    const { transport, sender } = start(1);
    const first = sender.sendAll([critical('1')]);
    await vi.advanceTimersByTimeAsync(1);
    const second = sender.sendAll([critical('2')]);
    transport.automatic = () => kept(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first).toEqual([{ kind: 'unknown' }]);
    expect(['kept', 'unavailable']).toContain((await second)[0]?.kind);
  });

  it('reports an outcome once, even if an acknowledgement comes too late', async () => {
    const { transport, sender, told } = start();
    const all = sender.sendAll([critical('1')]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await all).toEqual([{ kind: 'unknown' }]);
    transport.answer(kept(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['critical unknown']);
  });
});
