import { describe, expect, it } from 'vitest';
import { progressText, summaryText } from './progress.ts';

const state = { lines: 2_000, kept: 1_990, sent: 0, skipped: 0, rounds: 0, done: 0.25, elapsedMs: 2_000 };

describe('progressText', () => {
  it('says how far, how fast and how long still', () => {
    expect(progressText(state)).toBe('25 %  2,000 lines, 1,000/s, 1,990 kept, about 0:06 left');
  });

  it('names what was sent and skipped only where there is some', () => {
    expect(progressText({ ...state, sent: 3, skipped: 1 })).toContain('1,990 kept, 3 sent, 1 skipped');
  });

  it('does not guess the rest of a loop or of a file that is read to its end', () => {
    expect(progressText({ ...state, rounds: 2 })).toMatch(/^round 3 {2}(?!.*left)/);
    expect(progressText({ ...state, done: 1 })).not.toContain('left');
  });

  it('writes long times as hours', () => {
    expect(progressText({ ...state, done: 0.02, elapsedMs: 100_000 })).toContain('about 1:21:40 left');
  });
});

describe('summaryText', () => {
  it('says what was done in all', () => {
    expect(summaryText({ ...state, done: 1 })).toBe('2,000 messages in 2.0 s: 1,990 kept');
  });
});
