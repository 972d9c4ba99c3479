import { networkOf, parseAddress } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { forwardedTls, originate, parseCidr } from './address.ts';

const network = (text: string): string | undefined => {
  const ip = parseAddress(text);
  return ip === undefined ? undefined : networkOf(ip);
};
const trusted = ['10.0.0.0/8', '127.0.0.1', '2001:db8:ffff::/48'].map(parseCidr);
const from = (remote: string | undefined, ...forwardedFor: string[]): string =>
  originate(remote, forwardedFor, trusted).network;

describe('the network of an address (case G4)', () => {
  it('is the same for IPv4 and both spellings of mapped IPv4', () => {
    for (const text of ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '::FFFF:192.0.2.1']) {
      expect(network(text)).toBe('192.0.2.1');
    }
  });

  it('is one for two hosts of one /64, and another for the next /64', () => {
    expect(network('2001:db8:0:1::1')).toBe(network('2001:db8:0:1:ffff::9'));
    expect(network('2001:db8:0:1::1')).not.toBe(network('2001:db8:0:2::1'));
  });

  it('does not depend on the zone, on brackets or on a port', () => {
    const same = ['fe80::1', 'fe80::1%eth0', '[fe80::1]', '[fe80::1%25en0]:443'].map(network);
    expect(new Set(same).size).toBe(1);
    expect(network('192.0.2.1:5000')).toBe('192.0.2.1');
  });

  it('is one for all addresses of this machine', () => {
    expect(new Set(['127.0.0.1', '127.0.0.9', '127.9.9.9', '::1'].map(network))).toEqual(
      new Set(['127.0.0.1']),
    );
  });

  it('is the IPv4 address behind a translator', () => {
    expect(network('64:ff9b::c000:201')).toBe('192.0.2.1');
  });

  it.each([
    ['unknown'],
    ['_hidden'],
    [''],
    ['127.1'],
    ['0x7f.0.0.1'],
    ['1.2.3.4.5'],
    ['1.2.3.999'],
    ['::1::'],
  ])('%j is no address', (text) => expect(network(text)).toBeUndefined());
});

describe('where a client comes from', () => {
  it('is the peer, whatever it claims, where the peer is not trusted', () => {
    expect(from('192.0.2.9', '198.51.100.1')).toBe('192.0.2.9');
    expect(originate('192.0.2.9', [], trusted).viaTrusted).toBe(false);
  });

  it('is the rightmost entry that is not a trusted proxy', () => {
    expect(from('10.1.1.1', '203.0.113.66, 198.51.100.1, 10.2.2.2')).toBe('198.51.100.1');
  });

  it('is read over several headers', () => {
    expect(from('::ffff:10.1.1.1', '203.0.113.66', '198.51.100.1')).toBe('198.51.100.1');
  });

  it('is the last proxy that can be believed where an entry is no address', () => {
    expect(from('127.0.0.1', '198.51.100.1, unknown, 10.2.2.2')).toBe('10.2.2.2');
  });

  it('is the proxy where it tells nothing', () => {
    expect(from('127.0.0.1')).toBe('127.0.0.1');
  });

  it('is the leftmost where every hop is trusted', () => {
    expect(from('127.0.0.1', '10.0.0.5')).toBe('10.0.0.5');
  });

  it('is unknown for a socket that has gone', () => {
    expect(originate(undefined, ['198.51.100.1'], trusted)).toEqual({
      network: 'unknown',
      viaTrusted: false,
    });
  });

  it('does not walk further than 32 hops', () => {
    const long = ['198.51.100.1', ...Array.from({ length: 40 }, () => '10.0.0.1')].join(',');
    expect(from('127.0.0.1', long)).toBe('10.0.0.1');
  });
});

describe('a range of trusted proxies', () => {
  it('may be an address or mapped', () => {
    expect(parseCidr('10.0.0.1')[1]).toBe(32);
    expect(parseCidr('::1')[1]).toBe(128);
    expect(parseCidr('::ffff:10.0.0.0/104')[1]).toBe(8);
    expect(originate('10.9.9.9', ['1.1.1.1'], [parseCidr('::ffff:10.0.0.0/104')]).network).toBe('1.1.1.1');
  });

  it.each([['10.0.0.0/33'], ['x'], ['10.0.0.0/'], ['10.0.0.0/8/8'], ['::1/129'], ['10.0.0.0/-1'], ['[::1]']])(
    'refuses %s',
    (text) => expect(() => parseCidr(text)).toThrow(/must be/),
  );
});

describe('the forwarded scheme (case G1)', () => {
  it.each([
    [['https'], true],
    [['wss'], true],
    [['HTTPS'], true],
    [['http, https'], true],
    [['https, http'], true],
    [['http', 'https'], true],
    [['http'], false],
    [['ws'], false],
    [[''], false],
    [['httpsx'], false],
    [[], undefined],
  ])('%j is TLS: %s', (values, tls) => expect(forwardedTls(values)).toBe(tls));
});
