// Handwritten steps of a probe, and the rule's next act after them.
import { expect } from 'vitest';
import { TRAIN_FRAMES, type TrainName } from '../probe/constants.ts';
import { type Act, decide, type Rule } from '../probe/decision.ts';
import type { Step } from '../probe/evidence.ts';

export const rule: Rule = {
  deadlineMs: 1500,
  maxBytes: 40_000,
  rateThresholdKbps: 2000,
  rttThresholdMs: 270,
  padding: true,
};

/** Steps with these times in the rule's own terms: [kind, time] one after the other, undefined = still out. */
export type Told = readonly [kind: 'lone' | TrainName, tookMs: number | undefined];

function steps(...told: readonly Told[]): { steps: readonly Step[]; nowMs: number } {
  let nowMs = 0;
  const made = told.map(([kind, tookMs]): Step => {
    const padBytes = kind === 'lone' ? 0 : TRAIN_FRAMES[kind] * 127;
    const sentMs = nowMs;
    nowMs += tookMs ?? 0;
    const pongMs = tookMs === undefined ? {} : { pongMs: nowMs };
    return { kind, padBytes, sentMs, ...pongMs };
  });
  return { steps: made, nowMs };
}

/** The next act after the steps, `laterMs` after the last of them. */
export function after(told: readonly Told[], laterMs = 0, change: Partial<Rule> = {}): Act {
  const { steps: made, nowMs } = steps(...told);
  return decide(made, nowMs + laterMs, { ...rule, ...change });
}

/** Time of a train at a given rate in kbit/s and RTT. */
export const at = (kbps: number, rttMs: number, name: TrainName): number =>
  rttMs + (TRAIN_FRAMES[name] * 127 * 8) / kbps;

export const ping = { act: 'ping' };
export const train = (name: TrainName): Act => ({ act: 'train', train: name });
export const decided = (cls: 'fast' | 'slow', line: number): object =>
  expect.objectContaining({ act: 'decide', class: cls, line });
