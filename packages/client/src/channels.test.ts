import { parseChannels } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkChannels } from './channels.ts';

const verdict = (names: readonly string[]): 'right' | 'wrong' => {
  try {
    checkChannels(names);
    return 'right';
  } catch {
    return 'wrong';
  }
};

describe('channel lists', () => {
  it('are right exactly where the protocol says so', () => {
    const name = fc.oneof(
      fc.stringMatching(/^[A-Za-z0-9_.-]{0,12}$/),
      fc.string({ maxLength: 10 }),
      fc.constantFrom(
        '__proto__',
        '10',
        '-',
        '_',
        'a.b.c',
        'a..b',
        'ä',
        'a\n',
        `${'x.'.repeat(15)}x`,
        `${'x.'.repeat(16)}x`,
      ),
      fc.integer({ min: 120, max: 135 }).map((n) => 'n'.repeat(n)),
    );
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
        expect(verdict(names)).toBe('problem' in parseChannels(names) ? 'wrong' : 'right');
      }),
    );
  });
  it('have the limits of the protocol', () => {
    for (const count of [99, 100, 101]) {
      const names = Array.from({ length: count }, (_, i) => `c${i}`);
      expect(verdict(names)).toBe('problem' in parseChannels(names) ? 'wrong' : 'right');
    }
    for (const length of [117, 118, 119, 120, 121]) {
      const names = Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(length, 'x'));
      expect(verdict(names)).toBe('problem' in parseChannels(names) ? 'wrong' : 'right');
    }
  });
});
