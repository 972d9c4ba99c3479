import { describe, expect, it } from 'vitest';
import type { BodyFormat } from './parse-batch.ts';
import { parseBatch } from './parse-batch.ts';

const one = '{"lane":"critical","channel":"c","data":1}';
const two = '{"lane":"critical","channel":"c","data":2}';
const parse = (body: string | Buffer, format: BodyFormat = 'json', maxMessages = 3) =>
  parseBatch(Buffer.from(body), { format, maxMessages });

describe('parseBatch', () => {
  it('reads one object as a single message', () => {
    expect(parse(` ${one} `)).toMatchObject({
      single: true,
      messages: [{ value: { data: Buffer.from('1') } }],
    });
  });

  it.each([`[${one}, ${two}]`, `{"messages":[${one},${two}]}`])(
    'takes %.20s… for a batch, in order',
    (body) => {
      expect(parse(body)).toMatchObject({
        single: false,
        messages: [{ value: { data: Buffer.from('1') } }, { value: { data: Buffer.from('2') } }],
      });
    },
  );

  it('separates a bad message from the good ones', () => {
    const batch = parse(`[${one},7,${two}]`);
    expect(batch).toMatchObject({
      messages: [{ value: {} }, { problem: { code: 'NOT_AN_OBJECT' } }, { value: {} }],
    });
  });

  it('reads one message a line, with any line ends, and skips empty lines', () => {
    expect(parse(`${one}\r\n\n  \n${two}`, 'ndjson')).toMatchObject({ single: false, messages: [{}, {}] });
    expect(parse(`${one}\nx\n`, 'ndjson')).toMatchObject({
      messages: [{}, { problem: { code: 'NOT_JSON' } }],
    });
  });

  it('is a batch even with one line', () => {
    expect(parse(one, 'ndjson')).toMatchObject({ single: false, messages: [{ value: {} }] });
  });

  it.each([
    ['', 'json', 'EMPTY'],
    ['[]', 'json', 'EMPTY'],
    ['{"messages":[]}', 'json', 'EMPTY'],
    ['', 'ndjson', 'EMPTY'],
    ['\n \n', 'ndjson', 'EMPTY'],
    [`[${one}`, 'json', 'NOT_JSON'],
    [`\ufeff${one}`, 'json', 'BYTE_ORDER_MARK'],
    [`{"messages":[${one}],"x":1}`, 'json', 'FIELD_UNKNOWN'],
    ['{"messages":7}', 'json', 'FIELD_INVALID'],
    [`[${one},${one},${one},${one}]`, 'json', 'TOO_MANY_MESSAGES'],
    [`${one}\n${one}\n${one}\n${one}\n`, 'ndjson', 'TOO_MANY_MESSAGES'],
    ['['.repeat(100_000), 'json', 'NOT_JSON'],
  ] as const)('refuses %.30j (%s) as a whole: %s', (body, format, code) => {
    expect(parse(body, format)).toMatchObject({ problem: { code } });
  });

  it('accepts as many messages as its limit', () => {
    expect(parse(`[${one},${one},${one}]`)).toMatchObject({ messages: [{}, {}, {}] });
  });

  it('survives deep nesting', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(parse(deep)).toMatchObject({ messages: [{ problem: { code: 'NOT_AN_OBJECT' } }] });
  });
});
