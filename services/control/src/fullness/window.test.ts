import { describe, expect, it } from 'vitest';
import { notStored } from './window.ts';

describe('notStored', () => {
  it.each([
    ['nothing was published', { counted: 0, refusable: 0, stored: 0 }, 0],
    ['all was stored', { counted: 5_000, refusable: 0, stored: 5_000 }, 0],
    ['a few are on the other side of an edge', { counted: 300, refusable: 0, stored: 280 }, 0],
    [
      'the share that an edge leaves in doubt is missing',
      { counted: 10_000, refusable: 0, stored: 9_780 },
      0,
    ],
    ['more than that is missing', { counted: 10_000, refusable: 0, stored: 9_000 }, 1_000],
    ['a full stream takes nothing', { counted: 200, refusable: 0, stored: 0 }, 200],
    ['duplicates are not stored', { counted: 1_000, refusable: 900, stored: 100 }, 0],
    ['others are missing beside duplicates', { counted: 1_000, refusable: 500, stored: 300 }, 200],
    ['more was stored than counted', { counted: 10, refusable: 0, stored: 500 }, 0],
  ])('%s', (_name, window, lost) => {
    expect(notStored(window)).toBe(lost);
  });
});
