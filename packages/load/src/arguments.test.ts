import { describe, expect, it } from 'vitest';
import { readArguments, UsageError } from './arguments.ts';

describe('readArguments', () => {
  it('has a default for everything but the router', () => {
    expect(readArguments(['ws://127.0.0.1:7701'])).toEqual({
      url: 'ws://127.0.0.1:7701/v1/connect',
      clients: 100,
      channels: ['load'],
      rampMs: 2_500,
      runMs: 30_000,
      slow: undefined,
      token: undefined,
      publish: undefined,
      json: false,
      limits: {
        maxAgeP99Ms: undefined,
        maxRedirectP99Ms: undefined,
        maxGaps: undefined,
        maxFailed: undefined,
      },
    });
  });

  it('reads all options', () => {
    const words = '--clients 10 --channels a,b.c --ramp 500ms --for 2m --class mobile=0.25 --publish 20';
    const more = '--publisher https://p.example/x --api-key k --json --max-age-p99 500 --max-gaps 0';
    expect(
      readArguments(['https://w.example/r/v1/connect?x=1#y', ...`${words} ${more}`.split(' ')]),
    ).toMatchObject({
      url: 'wss://w.example/r/v1/connect',
      clients: 10,
      channels: ['a', 'b.c'],
      rampMs: 500,
      runMs: 120_000,
      slow: { pool: 'mobile', share: 0.25 },
      publish: { url: 'https://p.example/x', perSecond: 20, apiKey: 'k' },
      json: true,
      limits: { maxAgeP99Ms: 500, maxGaps: 0 },
    });
    expect(readArguments(['--help'])).toBe('help');
  });

  it.each([
    [[], 'weir-load <router URL>'],
    [['ws://a', 'ws://b'], 'weir-load <router URL>'],
    [['ftp://a'], 'must begin with ws:// or wss://'],
    [['nonsense'], 'must begin with ws:// or wss://'],
    [['ws://a', '--clients', '0'], '--clients must be a whole number from 1'],
    [['ws://a', '--clients', '1e3'], '--clients must be'],
    [['ws://a', '--channels', 'a,b c'], '"b c" is not a channel name'],
    [['ws://a', '--for', '5'], '--for must be a time such as'],
    [['ws://a', '--class', 'mobile'], '--class must be a pool and a share'],
    [['ws://a', '--class', 'mobile=2'], '--class must be a pool and a share'],
    [['ws://a', '--publish', '5', '--publisher', 'ws://p'], '--publisher must be a URL with http'],
    [['ws://a', '--clients', '-1'], '--clients needs a value that does not begin with a dash'],
    [['ws://a', '--channels', 'a,b,a'], '--channels: a is there twice'],
    [['ws://a', '--token', 'a b'], '--token is not a token'],
    [['ws://a', '--token', ''], '--token is not a token'],
    [['ws://a', '--publisher', 'http://p'], '--publisher is for --publish'],
    [['ws://a', '--api-key', 'k'], '--api-key is for --publish'],
    [['ws://a', '--spede', '1'], /^Unknown option '--spede'$/],
  ])('refuses %j with a reason', (argv, words) => {
    expect(() => readArguments(argv)).toThrow(UsageError);
    expect(() => readArguments(argv)).toThrow(words);
  });
});
