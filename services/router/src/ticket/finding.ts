// What the router knows of a client's network, for the shard that looks a second time. Pure.
import type { Confidence, Finding, Hint } from '@weir/protocol';
import type { ProbeResult } from '../probe/probe.ts';

export interface Known {
  readonly probe: ProbeResult | undefined;
  readonly hint: Hint | undefined;
  /** The pool by measurement and hint, before the client's wish. */
  readonly pool: string;
  readonly confidence: Confidence;
  readonly ceiling: string | undefined;
  /** Slowest first. */
  readonly pools: readonly string[];
  readonly thresholds: Finding['thresholds'];
}

/** Undefined if there is nothing to choose: one pool, or the client wants the slowest. */
export function findingFor(known: Known): Finding | undefined {
  const { probe, hint, pool, confidence, ceiling, pools, thresholds } = known;
  if (pools.length < 2 || ceiling === pools[0]) return undefined;
  const { rttMs, kbps } = probe ?? hint ?? {};
  return {
    class: pool === pools.at(-1) ? 'fast' : 'slow',
    confidence,
    ...(rttMs === undefined ? {} : { rttMs }),
    ...(kbps === undefined ? {} : { kbps }),
    thresholds,
  };
}
