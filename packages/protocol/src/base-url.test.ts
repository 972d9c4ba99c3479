import { describe, expect, it } from 'vitest';
import { isBaseUrl, parseBaseUrl } from './base-url.ts';
import { limits } from './limits.ts';

describe('parseBaseUrl', () => {
  it.each([
    ['ws://127.0.0.1:8080', 'ws://127.0.0.1:8080'],
    ['wss://a.example/base//', 'wss://a.example/base'],
    ['ws://[::1]:81/', 'ws://[::1]:81'],
  ])('takes %s', (text, base) => {
    expect(parseBaseUrl(text)).toBe(base);
    expect(isBaseUrl(base)).toBe(true);
  });

  it.each([
    'a.example',
    'https://a.example',
    'wss://user:secret@a.example',
    'wss://a.example?a=1',
    'wss://a.example/#a',
    'wss://',
    'wss://a b.example',
    `wss://a.example/${'p'.repeat(limits.baseUrlChars)}`,
  ])('refuses %s', (text) => {
    expect(() => parseBaseUrl(text)).toThrow(/without user, query and fragment/);
  });
});
