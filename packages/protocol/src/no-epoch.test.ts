import { describe, expect, it } from 'vitest';
import { coversOnlyCritical, NO_EPOCH } from './no-epoch.ts';
import { decodePosition, encodePosition } from './position.ts';

const position = {
  stateSeq: 12,
  stateMs: 34,
  criticalEpoch: 'c-1',
  criticalSeq: 56,
  criticalMs: 78,
  channels: ['AAAAAA'],
};

describe('a position that covers only critical messages', () => {
  it('is known by its text, in both formats', () => {
    const { stateMs, criticalMs, ...first } = position;
    for (const of of [position, first]) {
      const pos = encodePosition({ ...of, stateEpoch: NO_EPOCH });
      expect(coversOnlyCritical(pos)).toBe(true);
      expect(decodePosition(pos)).toEqual({ ...of, stateEpoch: NO_EPOCH });
    }
  });
  it('is no other one', () => {
    for (const stateEpoch of ['s-1', '--', 'a'])
      expect(coversOnlyCritical(encodePosition({ ...position, stateEpoch }))).toBe(false);
    expect(coversOnlyCritical('')).toBe(false);
    expect(coversOnlyCritical('-')).toBe(false);
  });
});
