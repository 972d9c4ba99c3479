import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZstdFrames } from './zstd-frames.ts';

/** Made by zstd, with checksums: nothing, `x`, fifty lines of `{"t":0}`. */
const frames = [
  '28b52ffd240001000099e9d851',
  '28b52ffd24010900007823110483',
  '28b52ffd6490007d0000407b2274223a307d0a010085530b17dcde2310',
].map((hex) => Buffer.from(hex, 'hex'));
const skippable = Buffer.from('502a4d1803000000aabbcc', 'hex');

function cutAnyhow(data: Buffer, sizes: readonly number[]) {
  const follower = new ZstdFrames();
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, data.length]) {
    pieces.push(...follower.cut(data.subarray(at, at + size)));
    at += size;
  }
  return { pieces, whole: follower.whole };
}

describe('ZstdFrames', () => {
  it('loses no byte, and never puts bytes of two frames into one piece', () => {
    const parts = fc.array(fc.constantFrom(...frames, skippable), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, fc.array(fc.integer({ min: 1, max: 20 })), (list, sizes) => {
        const { pieces, whole } = cutAnyhow(Buffer.concat(list), sizes);
        expect(whole).toBe(true);
        expect(Buffer.concat(pieces)).toEqual(Buffer.concat(list));
        const ends = new Set(pieces.map((_, i) => Buffer.concat(pieces.slice(0, i + 1)).length));
        list.forEach((_, i) => {
          expect(ends).toContain(Buffer.concat(list.slice(0, i + 1)).length);
        });
      }),
    );
  });

  it('detects truncated data, wherever the cut is', () => {
    const data = Buffer.concat(frames);
    const between = [0, 13, 27, data.length];
    for (let length = 0; length <= data.length; length++) {
      expect(cutAnyhow(data.subarray(0, length), []).whole).toBe(between.includes(length));
    }
  });

  it('leaves other data to the unpacker', () => {
    const data = Buffer.concat([...frames, Buffer.from('no zstd')]);
    const { pieces, whole } = cutAnyhow(data, [5, 30]);
    expect(whole).toBe(true);
    expect(Buffer.concat(pieces)).toEqual(data);
  });
});
