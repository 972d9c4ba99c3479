import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastKept } from './last-kept.ts';

async function find(kept: readonly number[], seq: number, firstSeq = 1) {
  let asked = 0;
  const found = await lastKept(seq, firstSeq, async (from) => {
    asked++;
    const at = kept.find((one) => one >= from);
    return at === undefined ? undefined : { seq: at, subject: 's', timeMs: at, size: 1 };
  });
  return { seq: found?.seq, asked };
}

describe('lastKept', () => {
  it('asks once if the message exists', async () => {
    expect(await find([3, 9, 12], 9)).toEqual({ seq: 9, asked: 1 });
  });

  it('finds the last message before a hole of a million with few requests', async () => {
    const { seq, asked } = await find([5, 1_000_007], 1_000_000);
    expect(seq).toBe(5);
    expect(asked).toBeLessThan(45);
  });

  it('finds the last message up to a sequence, in any stream', async () => {
    const places = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 1, max: 300 }), async (some, seq) => {
        const kept = [...new Set(some)].sort((a, b) => a - b);
        const wanted = kept.filter((one) => one <= seq).at(-1);
        expect((await find(kept, seq)).seq).toBe(wanted);
        expect((await find(kept, seq, kept[0] ?? 301)).seq).toBe(wanted);
      }),
    );
  });
});
