import { closeCodes, limits } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InboundAct, InboundView } from './inbound.ts';
import { InboundRate, judgeInbound } from './inbound.ts';

const view = { channels: ['lobby'], allow: ['lobby', 'sports.>'] };

function judge(message: unknown, given: InboundView = view): InboundAct {
  return judgeInbound(
    Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)),
    false,
    given,
  );
}

describe('judgeInbound', () => {
  it('subscribes allowed new channels, and answers denied ones', () => {
    expect(judge({ type: 'subscribe', channels: ['lobby', 'sports.42', 'secret', 'sports.42'] })).toEqual({
      act: 'subscribe',
      channels: ['sports.42'],
      errors: [{ type: 'error', code: 'CHANNEL_FORBIDDEN', channel: 'secret' }],
    });
  });

  it('unsubscribes subscribed channels, and nothing else', () => {
    expect(judge({ type: 'unsubscribe', channels: ['lobby', 'sports.42'] })).toEqual({
      act: 'unsubscribe',
      channels: ['lobby'],
      errors: [],
    });
  });

  it('treats names of object members as ordinary names', () => {
    const names = ['__proto__', 'constructor', 'toString'];
    expect(judge({ type: 'subscribe', channels: names })).toMatchObject({
      channels: [],
      errors: names.map((channel) => ({ code: 'CHANNEL_FORBIDDEN', channel })),
    });
    expect(judge({ type: 'subscribe', channels: names }, { channels: [], allow: ['>'] })).toMatchObject({
      channels: names,
      errors: [],
    });
  });

  it('subscribes nothing of a message beyond the limits of a connection', () => {
    const channels = Array.from({ length: limits.channelsPerConnection }, (_, i) => `sports.${i}`);
    const full = { channels, allow: ['>'] };
    expect(judge({ type: 'subscribe', channels: ['one-more'] }, full)).toEqual({
      act: 'answer',
      errors: [{ type: 'error', code: 'CHANNEL_LIMIT' }],
    });
    // What is there already takes no more room.
    expect(judge({ type: 'subscribe', channels: ['sports.1'] }, full)).toMatchObject({ act: 'subscribe' });

    const long = (count: number, letter: string): readonly string[] =>
      Array.from({ length: count }, (_, i) => `${letter.repeat(120)}${i}`);
    expect(
      judge({ type: 'subscribe', channels: long(5, 'b') }, { channels: long(5, 'a'), allow: ['>'] }),
    ).toMatchObject({ act: 'answer', errors: [{ code: 'CHANNEL_LIMIT' }] });
  });

  it.each([
    [{ type: 'subscribe', channels: [] }, 'CHANNEL_INVALID'],
    [{ type: 'subscribe', channels: ['a b'] }, 'CHANNEL_INVALID'],
    [{ type: 'subscribe', channels: ['sports.*'] }, 'CHANNEL_INVALID'],
    [{ type: 'subscribe', channels: Array(200).fill('a') }, 'CHANNEL_LIMIT'],
    [
      { type: 'subscribe', channels: Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(120, 'x')) },
      'CHANNEL_LIMIT',
    ],
  ])('answers a list of channels that is none: %o', (message, code) => {
    expect(judge(message)).toEqual({ act: 'answer', errors: [{ type: 'error', code }] });
  });

  it.each([
    ['{', 'notJson'],
    ['null', 'schema'],
    ['[]', 'schema'],
    ['{"type":"publish","channels":["lobby"]}', 'schema'],
    ['{"type":"subscribe"}', 'schema'],
    ['{"type":"subscribe","channels":"lobby"}', 'schema'],
    ['{"type":"subscribe","channels":[1]}', 'schema'],
    ['{"type":"subscribe","channels":["lobby"],"more":1}', 'schema'],
  ])('closes on what is not understood: %s', (message, problem) => {
    expect(judge(message)).toEqual({
      act: 'close',
      code: closeCodes.protocolError,
      reason: `message is not understood: ${problem}`,
    });
  });

  it('closes on a binary message', () => {
    expect(judgeInbound(Buffer.from('{}'), true, view)).toMatchObject({
      act: 'close',
      code: closeCodes.protocolError,
    });
  });

  it('never throws, never subscribes a denied channel, and keeps the reason of a close short', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ type: fc.string(), channels: fc.array(fc.string()) }).map((value) => JSON.stringify(value)),
      fc
        .array(fc.constantFrom('lobby', 'sports.1', 'secret', 'x y', ''), { maxLength: 6 })
        .map((channels) => JSON.stringify({ type: 'subscribe', channels })),
    );
    fc.assert(
      fc.property(text, (message) => {
        const judged = judge(message);
        if (judged.act === 'subscribe') {
          for (const channel of judged.channels) expect(channel).toMatch(/^sports\./);
        }
        if (judged.act === 'close')
          expect(Buffer.byteLength(judged.reason)).toBeLessThanOrEqual(limits.closeReasonBytes);
      }),
      { numRuns: 500 },
    );
  });
});

describe('InboundRate', () => {
  it('allows a burst, then the rate', () => {
    const rate = new InboundRate({ perSecond: 10, burst: 3 }, 0);
    expect([0, 0, 0, 0].map((ms) => rate.take(ms))).toEqual([true, true, true, false]);
    expect([99, 100, 100, 200].map((ms) => rate.take(ms))).toEqual([false, true, false, true]);
  });

  it('accumulates no more than the burst', () => {
    const rate = new InboundRate({ perSecond: 10, burst: 3 }, 0);
    const taken = Array.from({ length: 10 }, () => rate.take(3_600_000));
    expect(taken.filter(Boolean)).toHaveLength(3);
  });

  it('never allows more than burst and rate', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 200 }), (waits) => {
        const rate = new InboundRate({ perSecond: 10, burst: 5 }, 0);
        let nowMs = 0;
        let taken = 0;
        for (const waitMs of waits) {
          nowMs += waitMs;
          if (rate.take(nowMs)) taken++;
          expect(taken).toBeLessThanOrEqual(5 + nowMs / 100 + 1e-6);
        }
      }),
    );
  });
});
