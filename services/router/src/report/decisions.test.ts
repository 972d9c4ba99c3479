// What the console is told of a client: how it was measured, and nothing by which it could be recognised.
import { decodeFigures, encodeFigures, maxDecisions } from '@weir/fleet';
import { expect, it } from 'vitest';
import type { ProbeResult } from '../probe/probe.ts';
import { Decisions } from './decisions.ts';

const probe: ProbeResult = {
  outcome: 'measured',
  rttMs: 12.5,
  kbps: 40_000,
  class: 'fast',
  confidence: 'high',
  line: 5,
  bytes: 11_000,
  tookMs: 30,
  trains: 1,
};
const found = { pool: 'desktop', placed: 'desktop', confidence: 'high', probe, hint: undefined } as const;

it('a decision contains the measurement and the line of the rule that decided', () => {
  const decisions = new Decisions({ wallMs: () => 1_000 });
  decisions.note(found);
  const figures = { pool: 'desktop', confidence: 'high', rttMs: 12.5, kbps: 40_000 };
  expect(decisions.newest).toEqual([{ n: 1, wallMs: 1_000, why: 'measured', line: 5, ...figures }]);
});

it.each([
  [{ probe: { ...probe, outcome: 'silent' } }, { why: 'silent' }],
  [{ probe: { ...probe, outcome: 'noBudget' } }, { why: 'noBudget' }],
  [{ probe: { ...probe, outcome: 'told' } }, { why: 'shard' }],
  [
    { probe: undefined, hint: { rttMs: 9, kbps: 3_000 } },
    { why: 'hint', rttMs: 9, kbps: 3_000 },
  ],
  [{ probe: undefined }, { why: 'notMeasured' }],
  [{ placed: 'mobile' }, { pool: 'mobile', wanted: 'desktop' }],
] as const)('%j', (over, said) => {
  const decisions = new Decisions({ wallMs: () => 0 });
  decisions.note({ ...found, ...over });
  expect(decisions.newest[0]).toMatchObject(said);
});

it('the list keeps the newest decisions, in the form of the console', () => {
  const decisions = new Decisions({ wallMs: () => 0 });
  for (let i = 0; i < maxDecisions + 10; i++) decisions.note(found);
  expect(decisions.newest).toHaveLength(maxDecisions);
  expect(decisions.newest.at(-1)?.n).toBe(maxDecisions + 10);
  const about = { v: 1, service: 'router', id: 'r', version: '1', upMs: 0, limits: {}, series: {} } as const;
  const bytes = encodeFigures({ ...about, decisions: decisions.newest });
  expect(decodeFigures(bytes)?.decisions).toEqual(decisions.newest);
});
