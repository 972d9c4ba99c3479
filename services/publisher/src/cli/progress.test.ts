import { describe, expect, it } from 'vitest';
import { progressText, summaryText } from './progress.ts';

const state = {
  messages: 2_000,
  kept: 1_990,
  duplicates: 0,
  sent: 0,
  notKept: 0,
  unknown: 0,
  skipped: 0,
  lines: 2_000,
  rounds: 0,
  done: 0.25,
  readBytes: 65_536,
  elapsedMs: 2_000,
};

describe('progressText', () => {
  it('shows the progress, the rate and the remaining time', () => {
    expect(progressText(state)).toBe('25 %  2,000 messages, 1,000/s, 1,990 kept, about 0:06 left');
  });

  it('names only counts above zero', () => {
    expect(progressText({ ...state, duplicates: 9, sent: 3, skipped: 1 })).toContain(
      '1,990 kept, 9 duplicates, 3 sent, 1 bad line skipped',
    );
  });

  it('does not estimate the rest of a loop, or of a file that is read to its end', () => {
    expect(progressText({ ...state, rounds: 2 })).toMatch(/^round 3 {2}(?!.*left)/);
    expect(progressText({ ...state, done: 1 })).not.toContain('left');
  });

  it.each([
    [999, '999 B read'],
    [65_536, '65.5 KB read'],
    [1_234_567, '1.2 MB read'],
  ])('says of a pipe only how much of it was read (%i)', (readBytes, text) => {
    expect(progressText({ ...state, done: undefined, readBytes })).toBe(
      `${text}  2,000 messages, 1,000/s, 1,990 kept`,
    );
  });

  it('writes long times as hours', () => {
    expect(progressText({ ...state, done: 0.02, elapsedMs: 100_000 })).toContain('about 1:21:40 left');
  });
});

describe('summaryText', () => {
  it('sums up the replay', () => {
    expect(summaryText({ ...state, done: 1 })).toBe('2,000 messages in 2.0 s: 1,990 kept');
    expect(summaryText({ ...state, messages: 1, kept: 0, unknown: 1, rounds: 3 })).toBe(
      '1 message in 2.0 s and 3 whole rounds: 0 kept, 1 not acknowledged',
    );
  });

  it('explains duplicates', () => {
    expect(summaryText({ ...state, messages: 400, kept: 0, duplicates: 400 })).toContain(
      '400 messages in 2.0 s: 0 kept, 400 duplicates; duplicates are not stored',
    );
  });
});
