import { describe, expect, it } from 'vitest';
import { moveTarget, parseUrl, routerTarget, streamTarget } from './address.ts';

const plain = {
  base: undefined,
  channels: ['lobby', 'sports.42'],
  class: undefined,
  token: undefined,
  hint: undefined,
};

describe('the router address', () => {
  it('gets the default path if it has none, and the channels', () => {
    const { url, protocols } = routerTarget({ ...plain, url: 'wss://weir.test' });
    expect(url).toBe('wss://weir.test/v1/connect?channels=lobby,sports.42');
    expect(protocols).toEqual(['weir.v1']);
  });
  it('keeps its own path and query', () => {
    expect(routerTarget({ ...plain, url: 'ws://h:8080/base/v1/connect?x=1#y' }).url).toBe(
      'ws://h:8080/base/v1/connect?x=1&channels=lobby,sports.42',
    );
  });
  it('accepts http, https, IPv6 and addresses relative to a page', () => {
    expect(routerTarget({ ...plain, url: 'https://h' }).url).toMatch(/^wss:\/\/h\/v1\/connect\?/);
    expect(routerTarget({ ...plain, url: 'http://[::1]:8080' }).url).toMatch(/^ws:\/\/\[::1\]:8080\/v1\//);
    expect(routerTarget({ ...plain, url: '/', base: 'https://page.test/x/y' }).url).toMatch(
      /^wss:\/\/page\.test\/v1\/connect/,
    );
  });
  it('needs of the URL class only that it refuses malformed URLs, as in React Native', () => {
    const whole = globalThis.URL;
    class GettersOnly {
      readonly #text: string;
      constructor(text: string) {
        this.#text = `${text}/`;
      }
      get href(): string {
        return this.#text;
      }
    }
    try {
      globalThis.URL = GettersOnly as unknown as typeof URL;
      expect(routerTarget({ ...plain, url: 'https://h/v1/connect' }).url).toMatch(
        /^wss:\/\/h\/v1\/connect\?/,
      );
      expect(routerTarget({ ...plain, url: 'WSS://h' }).url).toMatch(/^wss:\/\/h\/v1\/connect\?/);
    } finally {
      globalThis.URL = whole;
    }
  });
  it('contains the requested class', () => {
    expect(routerTarget({ ...plain, url: 'ws://h', class: 'mobile' }).url).toMatch(/&class=mobile$/);
  });
  it('contains the hint', () => {
    expect(routerTarget({ ...plain, url: 'ws://h', hint: 'a.b-_.c' }).url).toMatch(/&hint=a\.b-_\.c$/);
  });
  it('offers a token as a subprotocol', () => {
    const { url, protocols } = routerTarget({ ...plain, url: 'ws://h', token: 'aA.b-_.c' });
    expect(protocols).toEqual(['weir.v1', 'weir.token.aA.b-_.c']);
    expect(url).not.toContain('aA');
  });
  it('puts a token that cannot be a subprotocol into the query', () => {
    const { url, protocols } = routerTarget({ ...plain, url: 'ws://h', token: 'a=b&c d' });
    expect(protocols).toEqual(['weir.v1']);
    expect(url).toMatch(/&token=a%3Db%26c%20d$/);
  });
  it('refuses malformed URLs and other schemes', () => {
    expect(() => parseUrl('weir', undefined)).toThrow(expect.objectContaining({ code: 'BAD_URL' }));
    expect(() => parseUrl('ftp://h', undefined)).toThrow(/wss:\/\//);
  });
});

describe('the other addresses', () => {
  it('of a move and of a stream offer the version alone', () => {
    expect(moveTarget('ws://r/v1/connect?channels=a&hint=H')).toEqual({
      url: 'ws://r/v1/connect?channels=a&hint=H',
      protocols: ['weir.v1'],
    });
    expect(streamTarget('ws://s/v1/stream?ticket=T', undefined).url).toBe('ws://s/v1/stream?ticket=T');
    expect(streamTarget('ws://s/v1/stream?ticket=T', '1.a.b')).toEqual({
      url: 'ws://s/v1/stream?ticket=T&resume=1.a.b',
      protocols: ['weir.v1'],
    });
  });
});
