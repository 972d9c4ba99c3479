// What was measured of a client's network, as tickets and hints carry it: a router's finding goes to the shard in the
// ticket, a shard's goes to the router in the hint of a move. Values alone: routers and shards judge them, not this file.
import type { Confidence } from './messages.ts';

export interface Finding {
  readonly class: 'fast' | 'slow';
  readonly confidence: Confidence;
  readonly rttMs?: number;
  /** Absent if no rate was measured. */
  readonly kbps?: number;
  /** The thresholds between fast and slow that the finding is about: those of the router. */
  readonly thresholds: { readonly kbps: number; readonly rttMs: number };
}

const CONFIDENCES: Readonly<Record<string, Confidence>> = { h: 'high', m: 'medium', l: 'low' };
const TEXT = /^([fs])([hml])-(\d{0,7})-(\d{0,7})-(\d{1,7})-(\d{1,7})$/;
const MOST = 9_999_999;

/** The short text of a claim: `fh-62-3400-270-2000` is fast, high, 62 ms and 3400 kbit/s, of 270 ms and 2000 kbit/s. */
export function encodeFinding({ class: is, confidence, rttMs, kbps, thresholds }: Finding): string {
  const numbers = [rttMs, kbps, thresholds.rttMs, thresholds.kbps].map(whole);
  return `${is === 'fast' ? 'f' : 's'}${confidence.slice(0, 1)}-${numbers.join('-')}`;
}

/** Parses the text; undefined if it is not valid. */
export function decodeFinding(claim: unknown): Finding | undefined {
  const parts = typeof claim === 'string' ? TEXT.exec(claim) : null;
  const [, is, sure = '', rttMs, kbps, ...thresholds] = parts ?? [];
  const confidence = CONFIDENCES[sure];
  if (confidence === undefined) return undefined;
  const [rttThresholdMs, kbpsThreshold] = thresholds.map(Number);
  if (!rttThresholdMs || !kbpsThreshold) return undefined;
  return {
    class: is === 'f' ? 'fast' : 'slow',
    confidence,
    ...(rttMs ? { rttMs: Number(rttMs) } : {}),
    ...(kbps ? { kbps: Number(kbps) } : {}),
    thresholds: { kbps: kbpsThreshold, rttMs: rttThresholdMs },
  };
}

function whole(value: number | undefined): string {
  return value === undefined || Number.isNaN(value)
    ? ''
    : String(Math.round(Math.min(Math.max(value, 0), MOST)));
}
