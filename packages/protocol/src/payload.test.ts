import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validatePayload } from './payload.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const raw = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

// In the manner of the JSONTestSuite: y_ must be accepted, n_ refused, i_ is ours to decide.
const accepted: readonly string[] = [
  '0',
  '-0',
  '1.0',
  '1E2',
  '1e308',
  '-1.5E-308',
  '17843232920108168701',
  '-9007199254740993',
  '0.1000000000000000055511151231257827',
  'true',
  'false',
  'null',
  '""',
  '"a"',
  '"\\u0000"',
  '"\\ud834\\udd1e"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\u2028\u2029"',
  '"\u007f"',
  '"\ufeff"',
  '"😀é€"',
  '"\\/\\b\\f\\n\\r\\t\\"\\\\"',
  '"[[[[{{{{"',
  '[]',
  '{}',
  '[null]',
  ' [ 1 , 2 ]\r\n\t',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":1}}',
  '{"":0}',
  '{"\\u0000":0}',
  '[[],[[]],{"a":{}}]',
];

/** Valid JSON that some parser refuses, and with it the whole frame. */
const numbers: readonly string[] = [
  '9'.repeat(5_000),
  `-${'9'.repeat(101)}`,
  `0.${'1'.repeat(100)}`,
  '1e400',
  '-1E+400',
  '1e-400',
  '1e309',
  '9e308',
  `1${'0'.repeat(99)}e300`,
  '1e99999999999999999999',
  '[{"a":[1,2,1e400]}]',
  '{"1e400":"1e400","a":1e400}',
  '["\\\\",1e400]',
];

const numbersInStrings: readonly string[] = [
  '"1e400"',
  '{"1e400":"1e999"}',
  `"${'9'.repeat(5_000)}"`,
  '["\\"1e400",1]',
  `[${'9'.repeat(100)},1e2,-0.5e-10]`,
  '{"ref":"5e999\\\\","n":1}',
];

const notJson: readonly string[] = [
  ' ',
  '\n',
  '\u00a0',
  '\0',
  '1\0',
  '01',
  '-01',
  '+1',
  '-',
  '1.',
  '.1',
  '1e',
  '1e+',
  '0x1',
  '0b1',
  '1_000',
  'NaN',
  'Infinity',
  '-Infinity',
  'nul',
  'True',
  'undefined',
  "'a'",
  '"',
  '"a',
  '"\\"',
  '"\\x41"',
  '"\\u12"',
  '"\\uD83D\\u"',
  '"a\nb"',
  '"\t"',
  '"\u0000"',
  '[',
  ']',
  '[1',
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1}',
  '{',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{"a":1 "b":2}',
  '{}{}',
  '1 2',
  '[]#',
  '/* */1',
  '1//',
  '\u2028[]',
  '\u2060[]',
  '[\u000c]',
];

describe('validatePayload', () => {
  it.each(accepted)('accepts %j', (text) => {
    expect(validatePayload(utf8(text))).toBe('ok');
  });

  it.each(numbers)('refuses a number that some parsers cannot read: %.40s', (text) => {
    expect(validatePayload(utf8(text))).toBe('number');
  });

  it.each(numbersInStrings)(
    'takes digits in strings and numbers at the bounds for what they are: %.40s',
    (text) => {
      expect(validatePayload(utf8(text))).toBe('ok');
    },
  );

  it.each(notJson)('refuses %j as no JSON', (text) => {
    expect(validatePayload(utf8(text))).toBe('notJson');
  });

  it('calls only what has no byte empty', () => {
    expect(validatePayload(raw())).toBe('empty');
    expect(validatePayload(utf8('   '))).toBe('notJson');
  });

  it.each([
    ['a stray continuation byte', raw(0x22, 0x80, 0x22)],
    ['an overlong slash', raw(0x22, 0xc0, 0xaf, 0x22)],
    ['an encoded surrogate', raw(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['a code point above U+10FFFF', raw(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22)],
    ['a sequence that is cut off', raw(0x22, 0xe2, 0x82, 0x22)],
    ['0xFF', raw(0xff)],
    ['Latin-1', raw(0x22, 0xe9, 0x22)],
    ['UTF-16', raw(0xff, 0xfe, 0x31, 0x00)],
  ])('refuses %s as no UTF-8', (_name, bytes) => {
    expect(validatePayload(bytes)).toBe('notUtf8');
  });

  it('refuses a byte order mark, also one that stands alone', () => {
    expect(validatePayload(utf8('\ufeff{}'))).toBe('bom');
    expect(validatePayload(utf8('\ufeff'))).toBe('bom');
  });

  it('allows 64 levels and no more, and does not count brackets in strings', () => {
    expect(validatePayload(utf8(nested(64)))).toBe('ok');
    expect(validatePayload(utf8(nested(65)))).toBe('tooDeep');
    expect(validatePayload(utf8(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`))).toBe('tooDeep');
    expect(validatePayload(utf8(`["${'['.repeat(500)}\\"${'{'.repeat(500)}\\\\"]`))).toBe('ok');
    expect(validatePayload(utf8(`[${'[],'.repeat(500)}{}]`))).toBe('ok');
    expect(validatePayload(utf8(nested(8192)))).toBe('tooDeep');
  });

  it('allows 16,384 bytes and no more, counted in bytes', () => {
    expect(validatePayload(utf8(`"${'a'.repeat(16_382)}"`))).toBe('ok');
    expect(validatePayload(utf8(`"${'a'.repeat(16_383)}"`))).toBe('tooLarge');
    expect(validatePayload(utf8(`"${'é'.repeat(8_191)}"`))).toBe('ok');
    expect(validatePayload(utf8(`"${'é'.repeat(8_192)}"`))).toBe('tooLarge');
  });

  it('takes tighter bounds', () => {
    expect(validatePayload(utf8('[[]]'), { messageBytes: 4, depth: 1 })).toBe('tooDeep');
    expect(validatePayload(utf8('[[]] '), { messageBytes: 4, depth: 1 })).toBe('tooLarge');
  });

  it('reads only its own part of a shared buffer', () => {
    const shared = utf8('xx{"a":1}yy');
    expect(validatePayload(shared.subarray(2, 9))).toBe('ok');
  });

  it('agrees with JSON.parse on any text', () => {
    const almostJson = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        '0',
        '-',
        '.',
        'e',
        'true',
        'é',
        ' ',
        '\u0001',
      ),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string({ minLength: 1 }),
          almostJson.map((x) => x.join('')),
        ),
        (text) => {
          fc.pre(text.isWellFormed() && !text.startsWith('\ufeff'));
          let parses = true;
          try {
            JSON.parse(text);
          } catch {
            parses = false;
          }
          expect(validatePayload(utf8(text))).toBe(parses ? 'ok' : 'notJson');
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(typeof validatePayload(bytes)).toBe('string');
      }),
    );
  });
});
