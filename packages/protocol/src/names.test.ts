import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import { channelAllowed, isChannel, isChannelPattern, isToken, parseChannels } from './names.ts';

const CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const token = fc.string({ unit: fc.constantFrom(...CHARS), minLength: 1, maxLength: 6 });
const channel = fc.array(token, { minLength: 1, maxLength: 6 }).map((tokens) => tokens.join('.'));

/** Names that an object has by itself, and other oddities that are nonetheless ordinary names (case A5). */
const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '-', '_', '0', 'A'];
const notNames = ['', ' ', 'a b', 'a\n', 'é', 'a/b', '*', '>', 'a*', '\0', 'a\u0000', '☃', 'a,b', 'a%20b'];

describe('isToken', () => {
  it.each(odd)('takes %j', (text) => {
    expect(isToken(text)).toBe(true);
  });

  it.each([...notNames, 'a.b', '.'])('refuses %j', (text) => {
    expect(isToken(text)).toBe(false);
  });

  it('takes exactly the characters of the contract', () => {
    for (let code = 0; code < 0x250; code += 1) {
      const char = String.fromCharCode(code);
      expect(isToken(char)).toBe(CHARS.includes(char));
    }
  });

  it('has a longest length', () => {
    expect(isToken('k'.repeat(limits.keyChars))).toBe(true);
    expect(isToken('k'.repeat(limits.keyChars + 1))).toBe(false);
    expect(isToken('kkk', 2)).toBe(false);
  });
});

describe('isChannel', () => {
  it.each([...odd, 'lobby', 'sports.football.42', '__proto__.constructor', '-._'])('takes %j', (text) => {
    expect(isChannel(text)).toBe(true);
  });

  it.each([...notNames, '.', 'a.', '.a', 'a..b', 'a.*', 'a.>', 'a. b', 'a.b\n'])('refuses %j', (text) => {
    expect(isChannel(text)).toBe(false);
  });

  it('takes every join of tokens within the limits', () => {
    fc.assert(fc.property(channel, isChannel));
  });

  it('has a longest length and a deepest depth', () => {
    expect(isChannel('c'.repeat(limits.channelChars))).toBe(true);
    expect(isChannel('c'.repeat(limits.channelChars + 1))).toBe(false);
    const deepest = Array.from({ length: limits.channelTokens }, () => 'a').join('.');
    expect(isChannel(deepest)).toBe(true);
    expect(isChannel(`${deepest}.a`)).toBe(false);
  });

  it('answers at once for hostile texts', () => {
    // A pattern that tries again from each place would need longer than a test may take.
    const hostile = `${'a.'.repeat(500_000)}!`;
    expect(isChannel(hostile) || isChannelPattern(hostile) || isToken(hostile)).toBe(false);
  });
});

describe('isChannelPattern', () => {
  it.each(['>', '*', 'a', 'a.b', 'a.*', '*.a', 'a.>', '*.>', '*.*.*', 'a.*.b.>', '__proto__'])(
    'takes %j',
    (text) => {
      expect(isChannelPattern(text)).toBe(true);
    },
  );

  it.each(['', '.', '>.a', 'a>', 'a.>.b', 'a*', '**', 'a..b', 'a.', '.a', '>>', ' >', 'a b', '>\n'])(
    'refuses %j',
    (text) => {
      expect(isChannelPattern(text)).toBe(false);
    },
  );
});

describe('channelAllowed', () => {
  /** The meaning of NATS wildcards, told another way: as a regular expression. */
  function covers(pattern: string, name: string): boolean {
    const source = pattern
      .split('.')
      .map((part) => (part === '*' ? '[^.]+' : part === '>' ? '[^.]+(?:\\.[^.]+)*' : part))
      .join('\\.');
    return new RegExp(`^${source}$`).test(name);
  }

  const few = fc.constantFrom('a', 'b', 'ab');
  const name = fc.array(few, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
  const pattern = fc
    .tuple(
      fc.array(fc.oneof(few, fc.constant('*')), { maxLength: 4 }),
      fc.option(fc.constant('>'), { nil: 'a' }),
    )
    .map(([tokens, last]) => [...tokens, last].join('.'));

  it('means what NATS means', () => {
    fc.assert(
      fc.property(name, fc.array(pattern, { maxLength: 4 }), (wanted, patterns) => {
        const right = patterns.some((one) => covers(one, wanted));
        expect(channelAllowed(wanted, patterns)).toBe(right);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['lobby', ['>'], true],
    ['sports.42', ['>'], true],
    ['sports', ['sports.>'], false],
    ['sports.42', ['sports.>'], true],
    ['sports.42.odds', ['sports.*'], false],
    ['sports', ['sports.*'], false],
    ['lobby', [], false],
    ['lobby2', ['lobby'], false],
    ['lobby', ['lobby.*'], false],
  ] as const)('%s within %j: %s', (wanted, patterns, right) => {
    expect(channelAllowed(wanted, patterns)).toBe(right);
  });
});

describe('parseChannels', () => {
  it('keeps the first mention of each, in order', () => {
    expect(parseChannels(['b', 'a', 'b', 'c', 'a'])).toEqual({ channels: ['b', 'a', 'c'] });
  });

  it('keeps names like those of object members', () => {
    expect(parseChannels(odd)).toEqual({ channels: odd });
  });

  it('says what is wrong', () => {
    expect(parseChannels([])).toEqual({ problem: 'empty' });
    expect(parseChannels(['lobby', ''])).toEqual({ problem: 'invalid' });
    expect(parseChannels(['lobby', '>'])).toEqual({ problem: 'invalid' });
    const many = Array.from({ length: limits.channelsPerConnection + 1 }, (_, i) => `c${i}`);
    expect(parseChannels(many)).toEqual({ problem: 'tooMany' });
    expect(parseChannels(many.slice(1))).toEqual({ channels: many.slice(1) });
    const long = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(limits.channelChars));
    expect(parseChannels(long)).toEqual({ problem: 'tooLong' });
  });

  it('accepts exactly lists of channels within the limits', () => {
    const lists = fc.array(fc.oneof(channel, fc.string()), { maxLength: 30 });
    fc.assert(
      fc.property(lists, (names) => {
        const parsed = parseChannels(names);
        const right = names.length > 0 && names.every(isChannel) && names.join().length < 800;
        if ('channels' in parsed) expect(new Set(parsed.channels)).toEqual(new Set(names));
        if (right) expect(parsed).toHaveProperty('channels');
        if (!names.every(isChannel)) expect(parsed).toHaveProperty('problem');
      }),
    );
  });
});
