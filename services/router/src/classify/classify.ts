// Chooses a client's pool from the probe's result, its signed hint, and its wish. Pure. A client may always ask for a
// slower pool; no wish moves it to a faster one.

import type { Confidence } from '@weir/protocol';
import type { ProbeResult } from '../probe/probe.ts';

/**
 * A client with a hint must be beyond these parts of the probe's thresholds to change its pool: Facebook's
 * network-connection-class leaves a band only by 20 to 25 %. Of the default thresholds they are 2.5 and 1.6 Mbit/s
 * (Lighthouse's slow 4G), and 220 and 340 ms.
 */
const HYSTERESIS = { upKbps: 1.25, downKbps: 0.8, upRtt: 220 / 270, downRtt: 340 / 270 } as const;
/** The second look of a shard is certain of the side of the threshold; one measurement is not. */
const isCertain = ({ outcome }: ProbeResult): boolean => outcome === 'told';

/** The probe's thresholds between fast and slow. */
export interface Thresholds {
  readonly kbps: number;
  readonly rttMs: number;
}

export interface ClassifyInput {
  /** Undefined if the client skipped the probe because of its hint. */
  readonly probe: ProbeResult | undefined;
  /** The pool of a verified hint: the client was recently measured or served there. */
  readonly hintPool?: string;
  /** The fastest pool that the client wants; unknown names are ignored. */
  readonly ceiling?: string;
  /** Slowest first, at least one. */
  readonly pools: readonly string[];
  readonly thresholds: Thresholds;
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
  // The client's own wish lowers the class, and is certain by nature.
  const ceiling = input.ceiling === undefined ? -1 : input.pools.indexOf(input.ceiling);
  const at = ceiling >= 0 ? Math.min(found.at, ceiling) : found.at;
  const pool = input.pools[at];
  if (pool === undefined) throw new RangeError('classify needs at least one pool');
  return { pool, confidence: at < found.at ? 'high' : found.confidence };
}

/** The pool by measurement and hint alone. */
function measured({ probe, hintPool, pools, thresholds }: ClassifyInput): Found {
  const fastest = pools.length - 1;
  const hint = hintPool === undefined ? -1 : pools.indexOf(hintPool);
  if (probe === undefined)
    return hint >= 0 ? { at: hint, confidence: 'medium' } : { at: 0, confidence: 'low' };
  const byProbe: Found = { at: probe.class === 'fast' ? fastest : 0, confidence: probe.confidence };
  if (hint < 0 || hint === byProbe.at) return byProbe;
  const keeps = hint < byProbe.at ? !isWellAbove(probe, thresholds) : !isWellBelow(probe, thresholds);
  return keeps ? { at: hint, confidence: 'low' } : byProbe;
}

/** Clearly fast: a client promoted on a doubtful measurement is soon demoted again. */
function isWellAbove(probe: ProbeResult, threshold: Thresholds): boolean {
  const { kbps, rttMs, confidence } = probe;
  if (kbps === undefined || rttMs === undefined || confidence === 'low') return false;
  const least = threshold.kbps * (isCertain(probe) ? 1 : HYSTERESIS.upKbps);
  return kbps >= least && rttMs <= threshold.rttMs * HYSTERESIS.upRtt;
}

/** Clearly slow; no answer at all and an unconfirmed rate count as slow too. */
function isWellBelow(probe: ProbeResult, threshold: Thresholds): boolean {
  const { outcome, kbps, rttMs } = probe;
  if (rttMs === undefined || rttMs > threshold.rttMs * HYSTERESIS.downRtt) return true;
  // Without pads the rate is unknown: the hint is the better source.
  if (outcome === 'noBudget') return false;
  if (kbps !== undefined) return kbps < threshold.kbps * (isCertain(probe) ? 1 : HYSTERESIS.downKbps);
  return rttMs < threshold.rttMs * HYSTERESIS.upRtt;
}
