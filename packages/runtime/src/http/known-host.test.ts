import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { hostNamed, isKnownHost } from './known-host.ts';

describe('isKnownHost', () => {
  it.each([
    '127.0.0.1',
    '127.0.0.1:7704',
    '10.1.2.3:80',
    '[::1]:7704',
    '[FE80::1]',
    'localhost',
    'LOCALHOST:7704',
    'weir.localhost:7704',
    hostname(),
    `${hostname().toUpperCase()}:9090`,
  ])('is true of %s, which no other site has for a name', (host) => {
    expect(isKnownHost(host)).toBe(true);
  });

  it.each([
    undefined,
    '',
    ':7704',
    'rebound.example',
    'rebound.example:7704',
    'localhost.rebound.example',
    '127.0.0.1.rebound.example',
    'localhost.',
    'notlocalhost',
    'localhost:7704@rebound.example',
    '127.0.0.1:7704:x',
    '127.0.0.1 ',
    '::1',
    '[localhost]',
    '[1:2]',
    '256.0.0.1',
  ])('is false of %j', (host) => {
    expect(isKnownHost(host)).toBe(false);
  });

  it('knows what is listed: a name exactly, with a dot also every name below', () => {
    const listed = ['console.example.com', '.ops.example'];
    for (const host of [
      'console.example.com',
      'CONSOLE.example.com:8443',
      'ops.example',
      'b.a.ops.example:1',
    ])
      expect(isKnownHost(host, listed), host).toBe(true);
    for (const host of ['example.com', 'x.console.example.com', 'devops.example', 'ops.example.net'])
      expect(isKnownHost(host, listed), host).toBe(false);
  });
});

describe('hostNamed', () => {
  it('is the name without its port, and nothing that is no name', () => {
    expect(hostNamed('Weir.Example:80')).toBe('weir.example');
    expect(hostNamed('[::1]:80')).toBe('::1');
    for (const header of [undefined, '', '<b>', 'a b', 'a/b']) expect(hostNamed(header)).toBeUndefined();
  });
});
