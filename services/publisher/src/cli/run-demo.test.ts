import { expect, it } from 'vitest';
import { demoText } from './run-demo.ts';

it("sums up a demo's messages by outcome, and names only outcomes above zero", () => {
  const counts = { turns: 5, kept: 272, duplicates: 0, sent: 2, notKept: 0, unknown: 0 };
  expect(demoText(counts)).toBe('5 turns: 272 kept, 2 sent');
  expect(demoText({ ...counts, duplicates: 3, notKept: 4, unknown: 1 })).toBe(
    '5 turns: 272 kept, 2 sent, 3 duplicates, 4 not kept, 1 not acknowledged',
  );
});
