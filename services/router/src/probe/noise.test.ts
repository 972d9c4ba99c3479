// Monte Carlo of the rule on noisy links: how often a class is wrong, where docs/probe.md says how often. Each way of a
// ping is delayed by half-normal jitter; a cold client answers nothing in its first 60 ms. Seeded, so that it is the
// same in each run.

import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, PAD_FRAME_BYTES, TRAIN_FRAMES } from './constants.ts';
import { decide } from './decision.ts';
import type { Step } from './evidence.ts';

const VISITS = 2000;
const COLD_MS = 60;
/** TCP, IP and Ethernet around each segment. */
const OVERHEAD = 1.03;

interface Noisy {
  readonly kbps: number;
  readonly rttMs: number;
  readonly jitterMs: number;
  readonly cold?: boolean;
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function visit(
  { kbps, rttMs, jitterMs, cold }: Noisy,
  random: () => number,
): { fast: boolean; tookMs: number } {
  const noiseMs = (): number =>
    jitterMs * Math.abs(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  const steps: Step[] = [];
  let nowMs = 0;
  let pongMs = Number.POSITIVE_INFINITY;
  for (;;) {
    const act = decide(steps, nowMs, { ...DEFAULT_LIMITS, padding: true });
    if (act.act === 'decide') return { fast: act.class === 'fast', tookMs: nowMs };
    if (act.act === 'wait') {
      nowMs = Math.min(pongMs, act.untilMs);
      const out = steps.at(-1);
      if (nowMs === pongMs && out !== undefined) steps[steps.length - 1] = { ...out, pongMs };
      if (nowMs === pongMs) pongMs = Number.POSITIVE_INFINITY;
      continue;
    }
    const kind = act.act === 'train' ? act.train : 'lone';
    const padBytes = kind === 'lone' ? 0 : TRAIN_FRAMES[kind] * PAD_FRAME_BYTES;
    const thereMs = nowMs + (padBytes * OVERHEAD * 8) / kbps + rttMs / 2 + noiseMs();
    pongMs = Math.max(thereMs, cold === true ? COLD_MS : 0) + rttMs / 2 + noiseMs();
    steps.push({ kind, padBytes, sentMs: nowMs });
  }
}

function visits(link: Noisy): { fastPercent: number; medianMs: number } {
  const random = seeded(1);
  const all = Array.from({ length: VISITS }, () => visit(link, random));
  const times = all.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return {
    fastPercent: (100 * all.filter(({ fast }) => fast).length) / VISITS,
    medianMs: times[VISITS / 2] ?? 0,
  };
}

describe('the rule on noisy links', () => {
  it.each([
    // Mbit/s, RTT, jitter, cold, how many may be taken for fast
    [1, 60, 15, false, 0.1],
    [1, 60, 15, true, 0.3],
    [1.4, 60, 10, false, 0.4],
    [1.4, 60, 10, true, 1],
    [1.48, 20, 5, true, 0.1],
    [1.48, 60, 5, true, 0.1],
    [1.48, 60, 10, false, 1],
    [1.48, 60, 10, true, 1.5],
    [1.48, 100, 10, false, 1.5],
  ])('%d Mbit/s at %d ms with %d ms of jitter (cold: %s) is slow', (mbps, rttMs, jitterMs, cold, most) => {
    expect(visits({ kbps: mbps * 1000, rttMs, jitterMs, cold }).fastPercent).toBeLessThanOrEqual(most);
  });

  it.each([
    // Mbit/s, RTT, jitter, cold, how many must be fast, median
    [2.55, 60, 5, false, 99.5, 450],
    [3, 60, 2, false, 99.9, 240],
    [3, 60, 5, false, 99.5, 370],
    [3, 60, 10, true, 98.5, 520],
    [4, 60, 5, false, 99.9, 250],
    [4, 60, 5, true, 99.9, 320],
    [12, 70, 10, false, 99.9, 290],
    [50, 18, 1, false, 99.9, 60],
  ])(
    '%d Mbit/s at %d ms with %d ms of jitter (cold: %s) is fast',
    (mbps, rttMs, jitterMs, cold, least, ms) => {
      const { fastPercent, medianMs } = visits({ kbps: mbps * 1000, rttMs, jitterMs, cold });
      expect(fastPercent).toBeGreaterThanOrEqual(least);
      expect(medianMs).toBeLessThanOrEqual(ms);
    },
  );
});
