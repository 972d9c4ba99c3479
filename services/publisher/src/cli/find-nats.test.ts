import { describe, expect, it } from 'vitest';
import { findNats, shownServers } from './find-nats.ts';

const find = (given: { flag?: string; environment?: readonly string[]; files?: Record<string, string> }) =>
  findNats({
    flag: given.flag,
    environment: given.environment,
    folder: '/home/ann/shop/src',
    readText: (path) => given.files?.[path],
  });
const local = '{"router":"ws://x","nats":"nats://127.0.0.1:4333"}';

describe('findNats', () => {
  it('prefers the flag, then the environment, then a running npm start, then the usual port', () => {
    const files = { '/home/ann/shop/.weir/local.json': local };
    expect(find({ flag: 'nats://a:1,tls://b:2', environment: ['nats://c:3'], files }).servers).toEqual([
      'nats://a:1',
      'tls://b:2',
    ]);
    expect(find({ environment: ['nats://c:3'], files }).servers).toEqual(['nats://c:3']);
    expect(find({ files })).toEqual({
      servers: ['nats://127.0.0.1:4333'],
      source: '/home/ann/shop/.weir/local.json',
    });
    expect(find({}).servers).toEqual(['nats://127.0.0.1:4222']);
  });

  it.each(['', 'nonsense', '{}', '{"nats":7}', '{"nats":"http://x"}', 'null'])(
    'passes over a local.json with %j',
    (text) => {
      const files = { '/home/ann/shop/src/.weir/local.json': text, '/.weir/local.json': local };
      expect(find({ files }).servers).toEqual(['nats://127.0.0.1:4333']);
    },
  );

  it('refuses a flag that is not a NATS URL', () => {
    expect(() => find({ flag: 'localhost:4222' })).toThrow('--nats entry 1 must be a URL');
  });
});

describe('shownServers', () => {
  it('shows no user and no password', () => {
    expect(shownServers(['nats://ann:s3cret@a:1', 'tls://token@b:2', 'nats://c:3'])).toBe(
      'nats://a:1, tls://b:2, nats://c:3',
    );
  });
});
