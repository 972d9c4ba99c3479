import { describe, expect, it } from 'vitest';
import { canonicalOrigin, originProblem, parseAllowedOrigin } from './origins.ts';

const rule = {
  allowed: ['https://ok.example', 'https://ok.example:8443', 'capacitor://localhost', 'http://[::1]:5173'],
  required: false,
};
const allowed = (...values: string[]): boolean => originProblem(values, rule) === undefined;

describe('an origin', () => {
  it.each([
    ['https://ok.example'],
    ['HTTPS://OK.Example'],
    ['https://ok.example:443'],
    ['https://ok.example:8443'],
    ['capacitor://localhost'],
    ['http://[::1]:5173'],
  ])('%s is allowed where it is configured (case G9)', (origin) => expect(allowed(origin)).toBe(true));

  it.each([
    ['null'],
    ['file://'],
    [''],
    ['https://ok.example.evil.test'],
    ['https://evil-ok.example'],
    ['https://ok.example.'],
    ['https://ok.example:8444'],
    ['https://ok.example:0443'],
    ['https://ok.example/'],
    ['https://ok.example@evil.test'],
    ['https://ok.example,https://evil.test'],
    ['http://ok.example'],
    ['http://ok.example:443'],
    ['ok.example'],
    [' https://ok.example x'],
    ['https://оk.example'],
    [`https://${'a'.repeat(400)}`],
  ])('%j is refused', (origin) => expect(allowed(origin)).toBe(false));

  it('is refused where there are two headers, whatever they say', () => {
    expect(allowed('https://ok.example', 'https://ok.example')).toBe(false);
    expect(originProblem(['a', 'b'], { allowed: ['*'], required: false })).toBeDefined();
  });

  it('may be missing, as with everything that is no browser, unless it is required', () => {
    expect(originProblem([], rule)).toBeUndefined();
    expect(originProblem([], { ...rule, required: true })).toBeDefined();
  });

  it('of an opaque page is allowed only where null is configured', () => {
    expect(originProblem(['null'], { allowed: ['null'], required: false })).toBeUndefined();
  });

  it('is every one with *', () => {
    expect(originProblem(['https://who.ever'], { allowed: ['*'], required: true })).toBeUndefined();
  });
});

describe('the setting', () => {
  it('takes origins, null, file:// and *', () => {
    expect(['*', 'null', 'FILE://', 'https://A.example:443'].map(parseAllowedOrigin)).toEqual([
      '*',
      'null',
      'file://',
      'https://a.example',
    ]);
  });

  it.each([
    ['https://a.example/'],
    ['a.example'],
    ['https://*.example'],
    ['https://a b'],
    ['wss://a.example'],
    ['https://'],
  ])('refuses %s', (text) => expect(() => parseAllowedOrigin(text)).toThrow(/must be/));

  it('has no other spelling of the same origin', () => {
    expect(canonicalOrigin('http://a:80')).toBe('http://a');
    expect(canonicalOrigin('https://a:80')).toBe('https://a:80');
  });
});
