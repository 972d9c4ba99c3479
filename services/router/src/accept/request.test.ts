import { limits } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { parseOffer, parseQuery, splitTarget } from './request.ts';

const pools = ['mobile', 'desktop'];

describe('a request target', () => {
  it.each([
    ['/v1/connect?channels=a', '/v1/connect', 'channels=a'],
    ['/v1/connect', '/v1/connect', ''],
    ['/v1/connect?', '/v1/connect', ''],
    ['http://host:1/v1/connect?a=b?c', '/v1/connect', 'a=b?c'],
    ['//evil/v1/connect', '//evil/v1/connect', ''],
    ['', '', ''],
  ])('%s is split', (target, path, query) => expect(splitTarget(target)).toEqual({ path, query }));
});

describe('the query', () => {
  it('names channels, a class, a token and a hint; the rest is ignored', () => {
    expect(parseQuery('channels=lobby,sports.42&class=mobile&token=t&hint=h&utm=1', pools)).toEqual({
      channels: ['lobby', 'sports.42'],
      asked: 'mobile',
      token: 't',
      hint: 'h',
    });
  });

  it('may be percent-encoded, and a channel named twice counts once', () => {
    expect(parseQuery('channels=a%2Cb%2Ca', pools)).toEqual({ channels: ['a', 'b'] });
  });

  it.each([
    ['', /at least one channel/],
    ['channels=', /at least one channel/],
    ['channels=a,,b', /a channel is/],
    ['channels=a%20b', /a channel is/],
    ['channels=a.*', /a channel is/],
    ['channels=a&channels=b', /more than once/],
    ['channels=a&token=1&token=2', /more than once/],
    ['channels=a&class=', /class is one of: mobile, desktop/],
    ['channels=a&class=Mobile', /class is one of/],
    ['channels=a&class=__proto__', /class is one of/],
    [`channels=${Array.from({ length: 101 }, (_, i) => `c${i}`).join(',')}`, /at most 100/],
    [`channels=${Array.from({ length: 12 }, (_, i) => `${'x'.repeat(110)}${i}`).join(',')}`, /together/],
    [`channels=${'x'.repeat(limits.channelChars + 1)}`, /a channel is/],
  ])('%s is refused in words', (query, problem) => {
    expect(parseQuery(query, pools)).toEqual({ problem: expect.stringMatching(problem) });
  });
});

describe('the offered subprotocols (case D4)', () => {
  it.each([
    [[], { version: false }],
    [['weir.v1'], { version: true }],
    [['weir.v1, weir.token.T'], { version: true, token: 'T' }],
    [['weir.token.T , weir.v1'], { version: true, token: 'T' }],
    [['weir.v1', 'weir.token.T'], { version: true, token: 'T' }],
    [['weir.v1,graphql-ws'], { version: true }],
    [['chat'], { version: false }],
    [[`weir.v1, weir.token.${'t'.repeat(6_000)}`], { version: true, token: 't'.repeat(6_000) }],
  ])('%j', (values, offer) => expect(parseOffer(values)).toEqual(offer));

  it.each([
    [['weir.token.SECRET'], /beside/],
    [['weir.v1, weir.token.SECRET='], /padding/],
    [['weir.v1,,x'], /not a list/],
    [[''], /not a list/],
    [['weir.v1, weir.v1'], /twice/],
    [['weir.v1, weir.token.SECRET, weir.token.b'], /more than one token/],
    [[Array.from({ length: 40 }, (_, i) => `p${i}`).join(',')], /not a list/],
  ])('%j is refused in words that repeat nothing', (values, problem) => {
    const parsed = parseOffer(values);
    expect(parsed).toEqual({ problem: expect.stringMatching(problem) });
    expect(JSON.stringify(parsed)).not.toContain('SECRET');
  });
});
