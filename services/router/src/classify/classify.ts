// Which pool a client belongs to, from what the probe found, the signed hint it came with, and what it asks for.
// Pure. A client may always ask for a slower pool; nothing that it says moves it to a faster one.

import type { Confidence } from '@weir/protocol';
import type { ProbeResult } from '../probe/probe.ts';

/**
 * A client with a hint must be beyond these to change its pool: Facebook's network-connection-class leaves a band only
 * by 20 to 25 %, 1.6 Mbit/s is Lighthouse's slow 4G; the RTTs are 270 ms -20 % and +25 %.
 */
const HYSTERESIS = { upKbps: 2500, downKbps: 1600, upRttMs: 220, downRttMs: 340 } as const;

export interface ClassifyInput {
  /** Undefined where the hint let the client skip it. */
  readonly probe: ProbeResult | undefined;
  /** The pool of a hint whose signature was verified: measured or served there recently. */
  readonly hintPool?: string;
  /** The pool that the client asks for; unknown names are ignored. */
  readonly asked?: string;
  /** `Save-Data: on`. */
  readonly saveData: boolean;
  /** Slowest first, at least one. */
  readonly pools: readonly string[];
}

export interface Classified {
  readonly pool: string;
  readonly confidence: Confidence;
}

interface Found {
  /** Index into the pools. */
  readonly at: number;
  readonly confidence: Confidence;
}

export function classify(input: ClassifyInput): Classified {
  const found = measured(input);
  // What lowers the class: the client's own wish, certain by nature.
  const wishes = [found.at];
  const asked = input.asked === undefined ? -1 : input.pools.indexOf(input.asked);
  if (asked >= 0) wishes.push(asked);
  if (input.saveData) wishes.push(0);
  const at = Math.min(...wishes);
  const pool = input.pools[at];
  if (pool === undefined) throw new RangeError('classify needs at least one pool');
  return { pool, confidence: at < found.at ? 'high' : found.confidence };
}

/** The pool by measurement and hint alone. */
function measured({ probe, hintPool, pools }: ClassifyInput): Found {
  const fastest = pools.length - 1;
  const hint = hintPool === undefined ? -1 : pools.indexOf(hintPool);
  if (probe === undefined)
    return hint >= 0 ? { at: hint, confidence: 'medium' } : { at: 0, confidence: 'low' };
  const byProbe: Found = { at: probe.class === 'fast' ? fastest : 0, confidence: probe.confidence };
  if (hint < 0 || hint === byProbe.at) return byProbe;
  const keeps = hint < byProbe.at ? !isWellAbove(probe) : !isWellBelow(probe);
  return keeps ? { at: hint, confidence: 'low' } : byProbe;
}

function isWellAbove(probe: ProbeResult): boolean {
  const { kbps, rttMs } = probe;
  return (
    kbps !== undefined && kbps >= HYSTERESIS.upKbps && rttMs !== undefined && rttMs <= HYSTERESIS.upRttMs
  );
}

/** Slow, and not just a little; no answer at all and a rate that nothing confirmed are slow too. */
function isWellBelow(probe: ProbeResult): boolean {
  if (probe.rttMs === undefined || probe.rttMs > HYSTERESIS.downRttMs) return true;
  // Without pads the rate is as unknown as before: the hint says more.
  if (probe.outcome === 'noBudget') return false;
  if (probe.kbps !== undefined) return probe.kbps < HYSTERESIS.downKbps;
  return probe.rttMs < HYSTERESIS.upRttMs;
}
