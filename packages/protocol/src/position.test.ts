import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import type { Position } from './position.ts';
import { channelHash, decodePosition, encodePosition } from './position.ts';

const epoch = fc.stringMatching(/^[0-9a-z-]{1,32}$/);
const seq = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));
const hashes = fc.array(fc.string().map(channelHash), { maxLength: limits.channelsPerConnection });
/** Up to the year 5188. */
const timeMs = fc.nat().map((n) => n * 47_000);
const first = { stateEpoch: epoch, stateSeq: seq, criticalEpoch: epoch, criticalSeq: seq, channels: hashes };
const position: fc.Arbitrary<Position> = fc.oneof(
  fc.record(first),
  fc.record({ ...first, stateMs: timeMs, criticalMs: timeMs }),
);

describe('position', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(position, (given) => {
        const text = encodePosition(given);
        expect(decodePosition(text)).toEqual(given);
        expect(text).toMatch(/^[A-Za-z0-9._~-]*$/);
        expect(text.length).toBeLessThanOrEqual(limits.positionChars);
      }),
    );
  });

  it('never throws on garbage, and what it takes it could have written', () => {
    const garbage = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(
        /^1\.[0-9a-z-]{0,3}\.[0-9a-z]{0,12}\.[0-9a-z-]{0,3}\.[0-9a-z]{0,12}\.[A-Za-z0-9_-]{0,14}$/,
      ),
      fc.stringMatching(
        /^2\.[0-9a-z-]{0,3}\.[0-9a-z]{0,12}\.a\.1\.[0-9a-z]{0,10}\.[0-9a-z]{0,10}\.[A-Za-z0-9_-]{0,14}$/,
      ),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        const value = decodePosition(text);
        if (value !== undefined) expect(decodePosition(encodePosition(value))).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws on a position with any one character changed', () => {
    const text = encodePosition({
      stateEpoch: 'a1',
      stateSeq: 57,
      criticalEpoch: 'b2',
      criticalSeq: 9,
      stateMs: 1_700_000_000_000,
      criticalMs: 0,
      channels: ['lobby', 'sports'].map(channelHash),
    });
    for (let i = 0; i < text.length; i += 1) {
      for (const char of ['', '.', '~', ' ', '\0', 'é', '0', text[i] + text.slice(0, 6)]) {
        expect(() => decodePosition(text.slice(0, i) + char + text.slice(i + 1))).not.toThrow();
      }
    }
  });

  it.each([
    '',
    '1',
    '1....',
    '1.a.0.a.0',
    '3.a.0.a.0.',
    '2.a.0.a.0.',
    '2.a.0.a.0.1.2',
    '2.a.0.a.0..2.',
    '2.a.0.a.0.zzzzzzzzzz.2.',
    '1.a.-1.a.0.',
    '1.a.0.a.1e5.5.',
    '1.A.0.a.0.',
    '1.a.zzzzzzzzzzz.a.0.',
    '1.a.0.a.zzzzzzzzzzz.',
    '1.a.0.a.0.abcde',
    '1.a.0.a.0.abcdefg',
    `1.a.0.a.0.${'a'.repeat(6 * 101)}`,
    `1.a.0.a.0.\n`,
    ' 1.a.0.a.0.',
    '__proto__',
  ])('refuses %j', (text) => {
    expect(decodePosition(text)).toBeUndefined();
  });
});

describe('channelHash', () => {
  it('is short, URL-safe and practically different for different channels', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `market.${i}`);
    const all = new Set(names.map(channelHash));
    expect(all.size).toBe(names.length);
    for (const hash of all) expect(hash).toMatch(/^[A-Za-z0-9_-]{6}$/);
  });
});
