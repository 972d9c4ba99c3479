import { limits } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortened } from './close-client.ts';

describe('a reason', () => {
  it('fits into a close frame and stays valid UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const short = shortened(text.toWellFormed());
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(limits.closeReasonBytes);
        expect(text.toWellFormed().startsWith(short)).toBe(true);
      }),
    );
  });
});
