import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeMessage, parseMessage, parseTimedMessage } from './parse-message.ts';

const message = (json: string) => parseMessage(Buffer.from(json));
const codeOf = (json: string): string | undefined => {
  const parsed = message(json);
  return 'problem' in parsed ? parsed.problem.code : undefined;
};
const dataOf = (json: string): string | undefined => {
  const parsed = message(json);
  return 'value' in parsed ? Buffer.from(parsed.value.data).toString() : undefined;
};
const critical = (data: string): string => `{"lane":"critical","channel":"c","data":${data}}`;

describe('parseMessage', () => {
  it('reads a message of each lane', () => {
    expect(message('{"lane":"state","channel":"a.b","key":"k-1","data":1,"id":"x:1"}')).toMatchObject({
      value: { address: { lane: 'state', channel: 'a.b', key: 'k-1' }, id: 'x:1' },
    });
    expect(message(critical('[]'))).toMatchObject({ value: { address: { lane: 'critical', channel: 'c' } } });
    expect(message('{"data":"x","channel":"c","lane":"cosmetic"}')).toMatchObject({
      value: { address: { lane: 'cosmetic', channel: 'c' } },
    });
  });

  it('escapes any text in keyText to a key', () => {
    const address = (key: string) => message(`{"lane":"state","channel":"c",${key},"data":1}`);
    expect(address('"keyText":"1.200806927"')).toMatchObject({
      value: { address: { key: '__1_2E200806927' } },
    });
    expect(address('"keyText":"plain-1"')).toMatchObject({ value: { address: { key: 'plain-1' } } });
    for (const wrong of ['"keyText":""', '"keyText":1', '"keyText":"a","key":"a"', '"keyText":"\\ud800"'])
      expect(address(wrong)).toMatchObject({ problem: { code: 'FIELD_INVALID' } });
    expect(message('{"lane":"critical","channel":"c","keyText":"a","data":1}')).toHaveProperty('problem');
  });

  it.each(['17843232920108168701', '1.0', '1E2', '-0', '{"a" :  1 ,"a":2}', '"\\u00e9"', '[ ]', '"é"'])(
    'keeps %s byte for byte',
    (data) => {
      expect(dataOf(critical(` ${data} `))).toBe(data);
    },
  );

  it('keeps any JSON byte for byte', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
        const data = JSON.stringify(JSON.parse(json), null, indent);
        expect(dataOf(critical(data))).toBe(data);
      }),
    );
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '-', '_'])(
    'takes %s for an ordinary key and channel',
    (name) => {
      const json = `{"lane":"state","channel":"${name}","key":"${name}","data":{"__proto__":{"polluted":1}}}`;
      expect(message(json)).toMatchObject({ value: { address: { channel: name, key: name } } });
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
  );

  it('deletes by an empty payload, only in the state lane', () => {
    expect(dataOf('{"lane":"state","channel":"c","key":"k","delete":true}')).toBe('');
    expect(codeOf('{"lane":"critical","channel":"c","delete":true}')).toBe('FIELD_INVALID');
    expect(codeOf('{"lane":"state","channel":"c","key":"k","delete":false}')).toBe('FIELD_INVALID');
    expect(codeOf('{"lane":"state","channel":"c","key":"k","delete":true,"data":1}')).toBe('FIELD_INVALID');
  });

  it.each([
    ['{', 'NOT_JSON'],
    ['', 'NOT_JSON'],
    ['\ufeff{}', 'BYTE_ORDER_MARK'],
    ['[]', 'NOT_AN_OBJECT'],
    ['null', 'NOT_AN_OBJECT'],
    ['{}', 'FIELD_MISSING'],
    ['{"lane":"critical","data":1}', 'FIELD_MISSING'],
    ['{"lane":"critical","channel":"c"}', 'FIELD_MISSING'],
    ['{"lane":"state","channel":"c","data":1}', 'FIELD_MISSING'],
    ['{"lane":"critical","channel":"c","key":"k","data":1}', 'FIELD_INVALID'],
    ['{"lane":"important","channel":"c","data":1}', 'FIELD_INVALID'],
    ['{"lane":7,"channel":"c","data":1}', 'FIELD_INVALID'],
    ['{"lane":"critical","channel":["c"],"data":1}', 'FIELD_INVALID'],
    ['{"lane":"critical","channel":"a..b","data":1}', 'FIELD_INVALID'],
    ['{"lane":"critical","channel":"*","data":1}', 'FIELD_INVALID'],
    ['{"lane":"critical","channel":"","data":1}', 'FIELD_INVALID'],
    ['{"lane":"state","channel":"c","key":"a.b","data":1}', 'FIELD_INVALID'],
    ['{"lane":"state","channel":"c","key":"a b","data":1}', 'FIELD_INVALID'],
    ['{"lane":"critical","channel":"c","data":1,"id":"a b"}', 'FIELD_INVALID'],
    ['{"lane":"critical","channel":"c","data":1,"id":"a\\r\\nX: 1"}', 'FIELD_INVALID'],
    ['{"lane":"cosmetic","channel":"c","data":1,"id":"a"}', 'FIELD_INVALID'],
    ['{"lane":"critical","channel":"c","data":1,"x":1}', 'FIELD_UNKNOWN'],
    ['{"lane":"critical","channel":"c","data":1,"t":1}', 'FIELD_UNKNOWN'],
    ['{"lane":"critical","channel":"c","data":1,"data":2}', 'FIELD_DUPLICATE'],
    ['{"lane":"critical","channel":"c","data":1,"d\\u0061ta":2}', 'FIELD_DUPLICATE'],
    [critical(`"${'a'.repeat(16_383)}"`), 'DATA_TOO_LARGE'],
    [critical('['.repeat(65) + ']'.repeat(65)), 'DATA_TOO_DEEP'],
    [critical('1e400'), 'DATA_NUMBER'],
    [critical('7'.repeat(5_000)), 'DATA_NUMBER'],
  ])('refuses %.70s as %s', (json, code) => {
    expect(codeOf(json)).toBe(code);
  });

  it('refuses bytes that are not UTF-8', () => {
    const parsed = parseMessage(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
    expect(parsed).toMatchObject({ problem: { code: 'NOT_UTF8' } });
  });

  it('never throws, for any input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (bytes) => {
        expect(() => parseMessage(Buffer.from(bytes))).not.toThrow();
      }),
    );
  });
});

describe('parseTimedMessage', () => {
  it('reads the time beside the message', () => {
    const line = Buffer.from('{"t":521211419,"lane":"critical","channel":"c","data":1.0}');
    expect(parseTimedMessage(line)).toMatchObject({ value: { at: 521211419 } });
  });

  it.each(['', '"t":-1,', '"t":"1",', '"t":null,', '"t":[1],', '"t":true,'])(
    'refuses a line with %j',
    (t) => {
      const line = Buffer.from(`{${t}"lane":"critical","channel":"c","data":1}`);
      expect(parseTimedMessage(line)).toHaveProperty('problem');
    },
  );
});

describe('makeMessage', () => {
  it('makes the same checks for separate parts', () => {
    expect(makeMessage({ lane: 'critical', channel: 'c', data: Buffer.from('1.0') })).toHaveProperty('value');
    expect(makeMessage({ lane: 'critical', channel: 'c', data: Buffer.from('') })).toMatchObject({
      problem: { code: 'NOT_JSON' },
    });
    expect(makeMessage({ lane: 'state', channel: 'c', key: 'k', data: undefined })).toMatchObject({
      value: { data: new Uint8Array(0) },
    });
  });
});
