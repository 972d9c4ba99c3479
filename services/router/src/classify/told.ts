// What a shard found in a client's second look, as a measurement. Pure. Only a certain finding counts, and only within
// this router's own bounds (classify.ts); any other client is measured again.
import type { Hint } from '@weir/protocol';
import type { ProbeResult } from '../probe/probe.ts';

/** Undefined if the router has to measure. */
export function toldBy(hint: Pick<Hint, 'measure' | 'finding'> | undefined): ProbeResult | undefined {
  const finding = hint?.measure === true ? hint.finding : undefined;
  if (finding?.confidence !== 'high' || finding.rttMs === undefined) return undefined;
  const { class: is, confidence, rttMs, kbps } = finding;
  // No shard finds a fast client without a rate.
  if (is === 'fast' && kbps === undefined) return undefined;
  const cost = { bytes: 0, tookMs: 0, trains: 0 };
  return { outcome: 'told', class: is, confidence, rttMs, ...(kbps === undefined ? {} : { kbps }), ...cost };
}
