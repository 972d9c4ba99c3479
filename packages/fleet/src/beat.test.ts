// What a beat may claim, and what is never believed.
import { limits } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Beat } from './beat.ts';
import { decodeBeat, encodeBeat } from './beat.ts';
import { beatOf } from './fakes/shard-entry.ts';

const beat = beatOf('s1', {
  url: 'ws://[::1]:4000',
  loopUtilisation: 0.5,
  revision: '5f7c9d',
  wallMs: 1_000,
});

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe('beats', () => {
  it('survive the round trip', () => {
    expect(decodeBeat(encodeBeat(beat))).toEqual(beat);
    const bytes = { backlogBytes: 9, healthyBacklogBytes: 7, awaitedBytes: 3 };
    const telling = { ...beat, ...bytes, incarnation: 'a1_-' };
    expect(decodeBeat(encodeBeat(telling))).toEqual(telling);
    expect(decodeBeat(bytesOf({ ...beat, healthyBacklogBytes: -1 }))).toBeUndefined();
    expect(decodeBeat(bytesOf({ ...beat, awaitedBytes: 0.5 }))).toBeUndefined();
    for (const url of [
      'wss://shard-1.example',
      'ws://h:1/shards/1',
      `ws://${'h'.repeat(63)}.${'p'.repeat(limits.baseUrlChars - 69)}`,
    ]) {
      expect(decodeBeat(encodeBeat({ ...beat, url }))?.url).toBe(url);
    }
  });

  it('of a newer shard are decoded without the unknown fields', () => {
    expect(decodeBeat(bytesOf({ ...beat, more: 'x' }))).toEqual(beat);
  });

  it('are within the size limit with every field at its limit', () => {
    const name = 'n'.repeat(64);
    const largest: Beat = {
      ...beat,
      pool: name,
      shard: name,
      url: `ws://${'h'.repeat(limits.baseUrlChars - 5)}`,
      backlogBytes: Number.MAX_SAFE_INTEGER,
      healthyBacklogBytes: Number.MAX_SAFE_INTEGER,
      awaitedBytes: Number.MAX_SAFE_INTEGER,
      egressBytesPerSecond: 123_456_789_012.345_67,
      loopUtilisation: 0.123_456_789_012_345_68,
      incarnation: 'i'.repeat(32),
      revision: 'r'.repeat(128),
      wallMs: 8.64e15,
    };
    expect(decodeBeat(encodeBeat(largest))).toEqual(largest);
  });

  it.each([
    ['v', 2],
    ['pool', ''],
    ['pool', 'p'.repeat(65)],
    ['shard', 'a.b'],
    ['shard', 7],
    ['url', 'http://x'],
    ['url', 'ws://'],
    ['url', 'ws://x/'],
    ['url', 'ws://x?a=1'],
    ['url', 'ws://x#a'],
    ['url', 'ws://user@x'],
    ['url', 'ws://x y'],
    ['url', 'ws://x:99999'],
    ['url', `ws://${'h'.repeat(508)}`],
    ['connections', -1],
    ['connections', 1.5],
    ['connections', '3'],
    ['capacity', 0],
    ['capacity', 1e9],
    ['backlogBytes', 2 ** 53],
    ['egressBytesPerSecond', 1e13],
    ['loopUtilisation', 1.1],
    ['tickLatenessMs', -0.1],
    ['draining', 'yes'],
    ['stale', 0],
    ['incarnation', ''],
    ['incarnation', 'i'.repeat(33)],
    ['incarnation', 7],
    ['revision', 'a b'],
    ['wallMs', null],
    ['wallMs', -1],
  ])('with %s = %s are neither encoded nor decoded', (field, value) => {
    const wrong = { ...beat, [field]: value };
    expect(decodeBeat(bytesOf(wrong))).toBeUndefined();
    expect(() => encodeBeat(wrong)).toThrow(new RegExp(`cannot carry these values: ${field}$`));
  });

  it('are refused if a field is missing or no number', () => {
    for (const name of Object.keys(beat)) {
      expect(decodeBeat(bytesOf({ ...beat, [name]: undefined })), name).toBeUndefined();
    }
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => encodeBeat({ ...beat, tickLatenessMs: wrong })).toThrow(RangeError);
      expect(() => encodeBeat({ ...beat, connections: wrong })).toThrow(RangeError);
    }
  });

  it('that are not JSON, not UTF-8, or too large are refused', () => {
    for (const bytes of [[], [0xff], [0xef, 0xbb, 0xbf, ...encodeBeat(beat)]]) {
      expect(decodeBeat(new Uint8Array(bytes))).toBeUndefined();
    }
    for (const value of [null, [], 1, 'x', { ...beat, more: 'y'.repeat(2_000) }]) {
      expect(decodeBeat(bytesOf(value))).toBeUndefined();
    }
    expect(decodeBeat(new TextEncoder().encode(`{"__proto__":${JSON.stringify(beat)}}`))).toBeUndefined();
  });

  it('never throw for any bytes, and decoded values are within their limits', () => {
    const mutated = fc
      .tuple(fc.constantFrom(...Object.keys(beat)), fc.jsonValue())
      .map(([name, value]) => bytesOf({ ...beat, [name]: value }));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), mutated), (bytes) => {
        const decoded = decodeBeat(bytes);
        if (decoded === undefined) return;
        expect(decoded.capacity).toBeGreaterThanOrEqual(1);
        expect(
          Object.values(decoded).every((value) => typeof value !== 'number' || Number.isFinite(value)),
        ).toBe(true);
        expect(decodeBeat(encodeBeat(decoded))).toEqual(decoded);
      }),
    );
  });
});
