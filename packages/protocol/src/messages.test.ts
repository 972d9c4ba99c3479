import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import type { ControlMessage } from './messages.ts';
import { controlText, ERROR_CODES, parseClientMessage } from './messages.ts';
import { isChannel } from './names.ts';

const channel = fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}(\.[a-z0-9]{1,4}){0,2}$/);

describe('parseClientMessage', () => {
  it.each(['subscribe', 'unsubscribe'] as const)('takes %s with any list of channels', (type) => {
    fc.assert(
      fc.property(
        fc.uniqueArray(channel, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (channels, first) => {
          const text = JSON.stringify(first ? { type, channels } : { channels, type }, null, first ? 1 : 0);
          expect(parseClientMessage(text)).toEqual({ message: { type, channels } });
        },
      ),
    );
  });

  it('never throws, and takes exactly what the schema says', () => {
    const nearly = fc.record(
      {
        type: fc.oneof(fc.constantFrom('subscribe', 'unsubscribe', 'position', '__proto__'), fc.anything()),
        channels: fc.oneof(fc.array(fc.oneof(channel, fc.string())), fc.anything()),
        extra: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      nearly.map((value) => stringified(value)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const taken = 'message' in parseClientMessage(text);
        expect(taken).toBe(matches(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('removes duplicates', () => {
    const text = '{"type":"subscribe","channels":["a","b","a"]}';
    expect(parseClientMessage(text)).toEqual({ message: { type: 'subscribe', channels: ['a', 'b'] } });
  });

  it.each([
    ['', 'notJson'],
    ['{', 'notJson'],
    ["{'type':'subscribe'}", 'notJson'],
    ['\ufeff{"type":"subscribe","channels":["a"]}', 'notJson'],
    ['{"type":"subscribe","channels":["a"]}{}', 'notJson'],
    ['null', 'schema'],
    ['[]', 'schema'],
    ['"subscribe"', 'schema'],
    ['{}', 'schema'],
    ['{"type":"subscribe"}', 'schema'],
    ['{"type":"publish","channels":["a"]}', 'schema'],
    ['{"type":"subscribe","channels":"a"}', 'schema'],
    ['{"type":"subscribe","channels":[1]}', 'schema'],
    ['{"type":"subscribe","channels":[null]}', 'schema'],
    ['{"type":"subscribe","channels":["a"],"token":"x"}', 'schema'],
    ['{"type":"subscribe","channels":["a"],"__proto__":{}}', 'schema'],
    ['{"__proto__":{"type":"subscribe","channels":["a"]}}', 'schema'],
    ['{"type":["subscribe"],"channels":["a"]}', 'schema'],
    ['{"type":"subscribe","channels":{"0":"a","length":1}}', 'schema'],
    ['{"type":"subscribe","channels":["a"],"last":1}', undefined],
    ['{"type":"subscribe","channels":["a"],"last":0}', 'schema'],
    ['{"type":"subscribe","channels":["a"],"last":1.5}', 'schema'],
    ['{"type":"subscribe","channels":["a"],"last":"1"}', 'schema'],
    ['{"type":"subscribe","channels":["a"],"last":null}', 'schema'],
    ['{"type":"subscribe","channels":["a"],"last":1,"more":1}', 'schema'],
    ['{"type":"subscribe","last":1}', 'schema'],
    ['{"type":"unsubscribe","channels":["a"],"last":1}', 'schema'],
    ['{"type":"subscribe","channels":[]}', 'empty'],
    ['{"type":"subscribe","channels":["a b"]}', 'invalid'],
    ['{"type":"subscribe","channels":[">"]}', 'invalid'],
    [JSON.stringify({ type: 'subscribe', channels: Array(101).fill('a') }), 'tooMany'],
    [JSON.stringify({ type: 'subscribe', channels: ['a'.repeat(127), 'b'.repeat(128)] }), undefined],
    [`${' '.repeat(limits.clientMessageBytes)}{}`, 'tooLarge'],
    ['['.repeat(100_000), 'tooLarge'],
    ['['.repeat(limits.clientMessageBytes), 'notJson'],
  ])('answers %.60s with %s', (text, problem) => {
    const parsed = parseClientMessage(text);
    expect('problem' in parsed ? parsed.problem : undefined).toBe(problem);
  });

  /** The schema again, told another way. */
  function matches(text: string): boolean {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return false;
    }
    if (text.length > limits.clientMessageBytes) return false;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
    if (Object.keys(value).sort().join() !== 'channels,type') return false;
    if (!('type' in value && 'channels' in value)) return false;
    const { type, channels } = value;
    if (type !== 'subscribe' && type !== 'unsubscribe') return false;
    if (!Array.isArray(channels) || channels.length === 0 || channels.length > 100) return false;
    return channels.every((name) => typeof name === 'string' && isChannel(name));
  }

  /** JSON of anything: what cannot be told in JSON becomes garbage. */
  function stringified(value: unknown): string {
    try {
      return JSON.stringify(value) ?? '';
    } catch {
      return String(typeof value);
    }
  }
});

describe('controlText', () => {
  const messages: readonly ControlMessage[] = [
    { type: 'redirect', url: 'ws://a/v1/stream?ticket=t', pool: 'mobile', confidence: 'low' },
    { type: 'redirect', url: 'ws://a', pool: 'desktop', rttMs: 23.1, kbps: 18_200, confidence: 'high' },
    {
      type: 'welcome',
      session: 's',
      pool: 'desktop',
      shard: 'd1',
      tickMs: 100,
      beatMs: 15_000,
      channels: ['__proto__'],
      resumed: false,
    },
    { type: 'gap', channel: 'lobby', lane: 'critical', after: 57 },
    { type: 'gap', channel: 'lobby', lane: 'critical', after: 0, reset: true },
    { type: 'position', pos: '1.a.0.b.0.' },
    { type: 'beat' },
    { type: 'move', url: 'ws://r/v1/connect?channels=a&hint=h', withinMs: 5000, reason: 'drain' },
    { type: 'error', code: 'CHANNEL_FORBIDDEN', channel: 'secret' },
  ];

  it.each(messages)('is the JSON of $type, its type first, and small enough for one frame', (message) => {
    const text = controlText(message);
    expect(JSON.parse(text)).toEqual(message);
    expect(text.startsWith(`{"type":"${message.type}"`)).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThan(limits.frameBytes);
  });
});

describe('ERROR_CODES', () => {
  it('are constants that a program can compare', () => {
    for (const code of ERROR_CODES) expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
  });
});
