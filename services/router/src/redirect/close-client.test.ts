import { limits } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortened } from './close-client.ts';

describe('the reason of a Close', () => {
  it('fits into the frame and is valid UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const short = shortened(text.toWellFormed());
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(limits.closeReasonBytes);
        expect(text.toWellFormed().startsWith(short)).toBe(true);
      }),
    );
  });
});
