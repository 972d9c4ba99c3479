import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CleanupMark } from './cleanup-mark.ts';
import { decodeCleanupMark, encodeCleanupMark } from './cleanup-mark.ts';

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const marks: fc.Arbitrary<CleanupMark> = fc.record({
  floorSeq: count,
  run: fc.stringMatching(/^[0-9a-f]{8}$/),
  removed: count,
  busy: fc.boolean(),
});

describe('a mark of a clean-up', () => {
  it('is what it was after its way, and as long as every other', () => {
    fc.assert(
      fc.property(marks, (mark) => {
        const text = encodeCleanupMark(mark);
        expect(text).toHaveLength(120);
        expect(decodeCleanupMark(Buffer.from(text))).toEqual(mark);
      }),
    );
  });

  it.each(['', 'x', '[]', 'null', '{"floorSeq":-1}', '{"floorSeq":1,"run":"a","removed":1.5,"busy":true}'])(
    'is not %j',
    (text) => {
      expect(decodeCleanupMark(Buffer.from(text))).toBeUndefined();
      expect(decodeCleanupMark(Buffer.alloc(10_000))).toBeUndefined();
    },
  );
});
