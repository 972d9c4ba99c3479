import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from './parse.ts';

const range = { min: 1, max: 1_000_000 };

describe('numbers', () => {
  it('accepts numbers in range, and nothing that only resembles a number', () => {
    expect(parse.int(range)('10')).toBe(10);
    expect(parse.int({ min: -5, max: 5 })('-0')).toBe(0);
    expect(Object.is(parse.int({ min: -5, max: 5 })('-0'), -0)).toBe(false);
    for (const bad of [
      '',
      ' ',
      '1.5',
      '0',
      '1e3',
      '0x10',
      'NaN',
      'Infinity',
      '-1',
      '1000001',
      '９',
      '1_0',
      ' 1',
    ]) {
      expect(() => parse.int(range)(bad), bad).toThrow('must be a whole number from 1 to 1000000');
    }
    for (const bad of ['', 'NaN', 'Infinity', '-Infinity', '1e999', '.', '1.', '.5', '1,5']) {
      expect(() => parse.number({ min: 0, max: 1e9 })(bad), bad).toThrow('must be a number');
    }
    expect(parse.number({ min: 0, max: 1 })('0.25')).toBe(0.25);
    expect(() => parse.number({ min: 0, max: 1 })('1.01')).toThrow('must be a number from 0 to 1');
    expect(parse.port()('0')).toBe(0);
    expect(() => parse.port()('65536')).toThrow('from 0 to 65535');
  });

  it('refuses a table whose range could mean unlimited', () => {
    expect(() => parse.int({ min: 0, max: Number.POSITIVE_INFINITY })).toThrow(RangeError);
    expect(() => parse.bytes({ min: Number.NaN, max: 1 })).toThrow(RangeError);
    expect(() => parse.durationMs({ min: 1, max: 2 ** 31 })).toThrow('must not exceed 2147483647 ms');
  });
});

describe('sizes and durations', () => {
  it('understands units', () => {
    const bytes = parse.bytes({ min: 1, max: 2 ** 40 });
    expect(['16384', '16KB', '16kb', '16KiB', '1.5MB', '1GB', '7B'].map(bytes)).toEqual([
      16384, 16384, 16384, 16384, 1_572_864, 1_073_741_824, 7,
    ]);
    const duration = parse.durationMs({ min: 1, max: 90_000_000 });
    expect(['1500', '1500ms', '10s', '5m', '1h', '1d', '1.005s'].map(duration)).toEqual([
      1500, 1500, 10_000, 300_000, 3_600_000, 86_400_000, 1005,
    ]);
  });

  it('refuses parts of a byte, unknown units, overflow, zero below the minimum', () => {
    const bytes = parse.bytes(range);
    for (const bad of [
      '0',
      '1.1KB',
      '1PB',
      'KB',
      '-1KB',
      '1 KB',
      '999999999999999GB',
      '',
      'constructor',
      '1constructor',
    ]) {
      expect(() => bytes(bad), bad).toThrow('must be a size');
    }
    const duration = parse.durationMs(range);
    for (const bad of ['0', '0s', '-1s', '1w', 'Infinity', '1.5', '9999999d', '', 's']) {
      expect(() => duration(bad), bad).toThrow('must be a duration');
    }
  });

  it('never returns a number that is not finite and in range, for any text', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.double(), fc.constantFrom('', 'ms', 's', 'KB', 'GB', 'd'))
        .map(([n, unit]) => `${n}${unit}`),
    );
    const parsers = [parse.int(range), parse.number(range), parse.bytes(range), parse.durationMs(range)];
    fc.assert(
      fc.property(text, fc.constantFrom(...parsers), (given, parser) => {
        let value: number;
        try {
          value = parser(given);
        } catch {
          return;
        }
        expect(value >= 1 && value <= 1_000_000).toBe(true);
      }),
    );
  });
});

describe('text, lists, choices, URLs', () => {
  it('matches the whole text', () => {
    const token = parse.text({ pattern: /[a-z]+/, what: 'small letters', max: 5 });
    expect(token('abc')).toBe('abc');
    expect(() => token('abc1')).toThrow('must be small letters');
    expect(() => token('abcdef')).toThrow('at most 5 characters');
    expect(() => parse.text()('secret\n')).toThrow('white space');
    expect(() => parse.text()('a\u0000b')).toThrow('control characters');
  });

  it('splits lists, refuses empty entries and names a bad one', () => {
    expect(parse.list()('a, b,c')).toEqual(['a', 'b', 'c']);
    expect(() => parse.list()('a,,b')).toThrow('entry 2 is empty');
    expect(() => parse.list()('a,')).toThrow('entry 2 is empty');
    expect(() => parse.list()('')).toThrow('must not be empty');
    expect(() => parse.list(parse.int(range))('1,x')).toThrow('entry 2 must be a whole number');
    expect(() => parse.list()('a,'.repeat(1001))).toThrow('at most 1000 entries');
  });

  it('accepts flags and choices', () => {
    expect(['true', '1', 'false', '0'].map(parse.flag())).toEqual([true, true, false, false]);
    expect(() => parse.flag()('yes')).toThrow('true or false');
    expect(parse.oneOf('none', 'jwt')('jwt')).toBe('jwt');
    expect(() => parse.oneOf('none', 'jwt')('JWT')).toThrow('one of: none, jwt');
  });

  it('accepts only URLs of the given protocols', () => {
    const url = parse.url('ws:', 'wss:');
    expect(url('ws://h:1/a?b=c')).toBe('ws://h:1/a?b=c');
    for (const bad of [
      'http://h',
      'ws:',
      'ws://',
      'h',
      'ws://h:99999',
      '//h',
      'ws://a b',
      'javascript:alert(1)',
    ]) {
      expect(() => url(bad), bad).toThrow('must be a URL that begins with ws:// or wss://');
    }
    expect(parse.list(parse.url('nats:'))('nats://a:4222,nats://[::1]:4222')).toHaveLength(2);
  });

  it('accepts NATS servers, and nothing that a client would ignore', () => {
    const server = parse.natsServer();
    for (const good of ['nats://h', 'tls://u:p@h:4222', 'nats://[::1]:4222/'])
      expect(server(good)).toBe(good);
    for (const bad of ['http://h', 'h:4222', 'nats://']) expect(() => server(bad), bad).toThrow('nats://');
    expect(() => server('nats://h:0')).toThrow('another port than 0');
    for (const bad of ['nats://h/p', 'nats://h?tls=1', 'nats://h#x', 'nats://h?'])
      expect(() => server(bad), bad).toThrow('has no path and no query');
  });

  it('accepts addresses and names to listen on, and nothing that no machine has', () => {
    const host = parse.host();
    const good = ['0.0.0.0', '::', '::1', 'fe80::1%eth0', 'localhost', 'a-b.example', 'web_1', 'h.example.'];
    for (const one of good) expect(host(one)).toBe(one);
    const bad = ['[::1]', 'localhost:80', 'http://h', '256.1.1.1', '1.2.3', '*', 'a b', '-a', 'a..b', 'ä'];
    for (const one of bad) expect(() => host(one), one).toThrow('must be an IP address');
  });
});
