import { expect, it } from 'vitest';
import { exitCodeOf } from './run-replay.ts';

const report = {
  messages: 3,
  kept: 0,
  duplicates: 0,
  sent: 0,
  notKept: 0,
  unknown: 0,
  skipped: 0,
  lines: 3,
  rounds: 1,
  done: 1,
  readBytes: 100,
};

it.each([
  [{ kept: 3 }, 0],
  [{ sent: 3 }, 0],
  [{ kept: 1, duplicates: 2 }, 0],
  [{ sent: 1, duplicates: 2 }, 0],
  [{ duplicates: 3 }, 3],
])('a replay of %j ends with %i', (counts, code) => {
  expect(exitCodeOf({ ...report, ...counts })).toBe(code);
});
