import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeShedAnswer,
  decodeShedRequest,
  encodeShedAnswer,
  encodeShedRequest,
  maxShedMoves,
} from './shed.ts';

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('shed', () => {
  it('is decoded as it was encoded', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: maxShedMoves }),
        fc.integer({ min: 1_000, max: 60_000 }),
        (moves, withinMs) => {
          expect(decodeShedRequest(encodeShedRequest({ moves, withinMs }))).toEqual({
            v: 1,
            moves,
            withinMs,
          });
          expect(decodeShedAnswer(encodeShedAnswer({ accepted: moves }))).toEqual({ v: 1, accepted: moves });
        },
      ),
    );
  });

  it.each([
    { v: 1, moves: 0, withinMs: 5_000 },
    { v: 1, moves: 501, withinMs: 5_000 },
    { v: 1, moves: 1.5, withinMs: 5_000 },
    { v: 1, moves: '7', withinMs: 5_000 },
    { v: 1, moves: 7, withinMs: 10 },
    { v: 1, moves: 7 },
    { v: 2, moves: 7, withinMs: 5_000 },
    [1],
    null,
    7,
    'x'.repeat(300),
  ])('a malformed request is ignored: %j', (value) => {
    expect(decodeShedRequest(bytesOf(value))).toBeUndefined();
  });

  it.each([{ v: 1, accepted: -1 }, { v: 1, accepted: 501 }, { v: 1, accepted: null }, { v: 1 }, {}, null])(
    'an answer that is none is not taken: %j',
    (value) => {
      expect(decodeShedAnswer(bytesOf(value))).toBeUndefined();
    },
  );

  it('values beyond the limits are not sent', () => {
    expect(() => encodeShedRequest({ moves: 0, withinMs: 5_000 })).toThrow(RangeError);
    expect(() => encodeShedAnswer({ accepted: 1e6 })).toThrow(RangeError);
  });

  it('no bytes make the decoder throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodeShedRequest(bytes);
        decodeShedAnswer(bytes);
      }),
    );
  });
});
