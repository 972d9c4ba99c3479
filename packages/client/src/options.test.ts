import { describe, expect, it } from 'vitest';
import { checkOptions } from './options.ts';
import type { ConnectOptions } from './public.ts';

const check = (options: unknown) => () => checkOptions(options as ConnectOptions);
const url = 'wss://weir.test';

describe('the options of connect', () => {
  it.each([
    [undefined, /takes an object/],
    ['wss://weir.test', /takes an object/],
    [{}, /url must be a string/],
    [{ url: 7 }, /url must be a string/],
    [{ url, channels: 'odds' }, /channels must be an array/],
    [{ url, channels: new Set(['odds']) }, /channels must be an array/],
    [{ url, chanels: ['odds'] }, /no option chanels; there are url, channels/],
    [{ url, toString: 1 }, /no option toString/],
    [{ url, token: 5 }, /token must be a string, or a function/],
    [{ url, WebSocket: 'ws' }, /WebSocket must be a class/],
    [{ url, conflateMs: '50' }, /conflateMs must be a number/],
    [{ url, queueLimit: Number.NaN }, /queueLimit must be a number/],
    [{ url, reconnect: 5_000 }, /reconnect must be an object/],
  ])('%j throws a sentence at once', (options, sentence) => {
    expect(check(options)).toThrow(TypeError);
    expect(check(options)).toThrow(sentence);
  });

  it('may be present and undefined', () => {
    expect(check({ url, channels: undefined, token: undefined, class: undefined })).not.toThrow();
  });
});
