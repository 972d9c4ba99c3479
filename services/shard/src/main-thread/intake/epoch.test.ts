import { describe, expect, it } from 'vitest';
import { epochName, isLaterEpoch, judgeEpoch } from './epoch.ts';

const known = { createdMs: 1_000, generation: 2, seq: 50 };
const same = { createdMs: 1_000, generation: 2, lastSeq: 50 };

describe('judgeEpoch', () => {
  it.each([
    ['the same stream at the same place', same, 'same'],
    ['the same stream further on', { ...same, lastSeq: 99 }, 'same'],
    ['a stream with another time of creation', { ...same, createdMs: 1_001 }, 'recreated'],
    ['a recreated stream, whatever else it is', { createdMs: 9, generation: 7, lastSeq: 0 }, 'recreated'],
    ['a generation that another shard has raised', { ...same, generation: 3 }, 'otherGeneration'],
    [
      'a raised generation with its sequences back',
      { ...same, generation: 3, lastSeq: 1 },
      'otherGeneration',
    ],
    ['sequences that went back', { ...same, lastSeq: 49 }, 'raise'],
    ['metadata that went back', { ...same, generation: 1 }, 'raise'],
  ] as const)('%s', (_name, facts, verdict) => {
    expect(judgeEpoch(known, facts)).toBe(verdict);
  });
});

describe('epochName', () => {
  it('is the same on every shard, and another after each change', () => {
    expect(epochName({ createdMs: 1_000, generation: 0 })).toBe(
      epochName({ createdMs: 1_000, generation: 0 }),
    );
    const names = [
      { createdMs: 1_000, generation: 0 },
      { createdMs: 1_001, generation: 0 },
      { createdMs: 1_000, generation: 1 },
      { createdMs: 1_000, generation: 36 },
    ].map(epochName);
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[0-9a-z-]{1,40}$/);
  });
});

describe('isLaterEpoch', () => {
  const name = (createdMs: number, generation: number): string => epochName({ createdMs, generation });

  it.each([
    ['the same', name(1_000, 1), false],
    ['an earlier generation', name(1_000, 0), false],
    ['a later generation', name(1_000, 2), true],
    ['a stream that was made later', name(1_001, 0), true],
    ['a stream that was made before', name(999, 9), false],
    ['no name of ours', 'zzzzzzzzz', false],
    ['the name before a load', '0', false],
  ])('of %s', (_what, epoch, later) => {
    expect(isLaterEpoch(epoch, name(1_000, 1))).toBe(later);
  });
});
