// Figures come from NATS, where any client with the permission can send some: what is not valid is not taken.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerFigures } from './answer-figures.ts';
import { decodeDrainAnswer, encodeDrainAnswer } from './drain.ts';
import type { Figures } from './figures.ts';
import { decodeFigures, encodeFigures, maxFiguresBytes } from './figures.ts';

const figures: Figures = {
  v: 1,
  service: 'shard',
  id: 'desktop-1',
  version: '0.1.0',
  upMs: 12_000,
  limits: { softBytes: 131_072 },
  series: { weir_shard_connections: 3, 'weir_shard_delivery_lag_seconds_bucket{le="+Inf"}': 4 },
};
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('figures', () => {
  it('are decoded as they were encoded', () => {
    expect(decodeFigures(encodeFigures(figures))).toEqual(figures);
  });

  it('drop unknown fields', () => {
    expect(decodeFigures(bytesOf({ ...figures, address: '10.0.0.1' }))).toEqual(figures);
  });

  it.each([
    ['v', 2],
    ['service', 'control'],
    ['id', ''],
    ['id', 'a b'],
    ['version', '<b>'],
    ['upMs', -1],
    ['upMs', null],
    ['limits', { softBytes: 'many' }],
    ['limits', { 'soft bytes': 1 }],
    ['series', []],
    ['series', { '<script>': 1 }],
    ['series', { __proto__x: 1 }],
    ['series', { weir_shard_connections: 1e21 }],
    ['series', Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`s${i}`, 1]))],
    ['decisions', {}],
    ['decisions', [{ n: 1 }]],
    ['decisions', Array.from({ length: 65 }, () => ({}))],
  ])('are refused with %s %j', (name, value) => {
    expect(decodeFigures(bytesOf({ ...figures, [name]: value }))).toBeUndefined();
  });

  it('are refused beyond the size limit, and if they are no JSON', () => {
    expect(decodeFigures(new Uint8Array(maxFiguresBytes + 1))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array(), (bytes) => decodeFigures(bytes) === undefined));
    fc.assert(fc.property(fc.json(), (text) => decodeFigures(new TextEncoder().encode(text)) === undefined));
  });
});

describe('a process that is asked', () => {
  function setUp(read: () => Promise<Figures>): {
    ask(reply?: string): void;
    readonly answers: { readonly subject: string; readonly bytes: Uint8Array }[];
    readonly clock: { nowMs: number };
    readonly faults: unknown[];
  } {
    type Callback = (error: Error | null, message: { readonly reply?: string }) => void;
    const callbacks: Callback[] = [];
    const answers: { readonly subject: string; readonly bytes: Uint8Array }[] = [];
    const clock = { nowMs: 0 };
    const faults: unknown[] = [];
    answerFigures({
      connected: Promise.resolve({ subscribe: (_, { callback }) => callbacks.push(callback) }),
      subject: 'weir.ctl.figures',
      read,
      answer: (subject, bytes) => answers.push({ subject, bytes }),
      monotonicMs: () => clock.nowMs,
      onFault: (error) => faults.push(error),
    });
    const ask = (reply?: string): void => callbacks[0]?.(null, reply === undefined ? {} : { reply });
    return { ask, answers, clock, faults };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('answers only to inboxes', async () => {
    const { ask, answers } = setUp(() => Promise.resolve(figures));
    await settled();
    for (const reply of [undefined, 'weir.state.lobby.forged', '_INBOX.a.b', '$JS.API.STREAM.DELETE.X'])
      ask(reply);
    await settled();
    expect(answers.map(({ subject }) => subject)).toEqual(['_INBOX.a.b']);
    expect(decodeFigures(answers[0]?.bytes ?? new Uint8Array())).toEqual(figures);
  });

  it('reads its figures at most four times a second, for any number of requests', async () => {
    let reads = 0;
    const { ask, answers, clock } = setUp(async () => {
      reads += 1;
      return figures;
    });
    await settled();
    for (let i = 0; i < 100; i++) ask(`_INBOX.a.${i}`);
    await settled();
    expect([reads, answers.length]).toEqual([1, 16]);
    clock.nowMs = 249;
    ask('_INBOX.b.1');
    await settled();
    clock.nowMs = 250;
    ask('_INBOX.b.2');
    await settled();
    expect([reads, answers.length]).toEqual([2, 18]);
  });

  it('does not answer if it cannot read its figures', async () => {
    const { ask, answers, faults } = setUp(() => Promise.reject(new Error('closed')));
    await settled();
    ask('_INBOX.a.b');
    await settled();
    expect([answers.length, faults.length]).toEqual([0, 1]);
  });
});

it('an answer to a request to drain is decoded as it was encoded, and nothing else is', () => {
  for (const accepted of [true, false])
    expect(decodeDrainAnswer(encodeDrainAnswer(accepted))).toEqual({ v: 1, accepted });
  for (const text of [
    '',
    '{}',
    '{"v":2,"accepted":true}',
    '{"v":1,"accepted":1}',
    'null',
    '[]',
    ' '.repeat(300),
  ])
    expect(decodeDrainAnswer(new TextEncoder().encode(text))).toBeUndefined();
});
