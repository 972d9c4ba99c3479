// The evidence of a probe's answered steps: smallest RTT, spread and rate of each train, confirmations.
// Pure arithmetic on the steps; decides nothing.

import type { TrainName } from './constants.ts';
import * as K from './constants.ts';

/** One ping, alone or behind a pad. Times are milliseconds since the upgrade was answered. */
export interface Step {
  readonly kind: 'lone' | TrainName;
  /** Bytes of the pad; 0 for a lone ping. */
  readonly padBytes: number;
  readonly sentMs: number;
  readonly pongMs?: number;
}

export interface Train {
  readonly name: TrainName;
  readonly bytes: number;
  /** From the write to the pong. */
  readonly tMs: number;
  /** The pad's time on top of the smallest RTT. */
  readonly spreadMs: number;
  readonly kbps: number;
}

export interface Evidence {
  /** Smallest time over all steps; undefined before the first pong. */
  readonly rttMs: number | undefined;
  /** Times of the answered lone pings in the order of sending: the first is the warm-up, all others confirm. */
  readonly lone: readonly number[];
  readonly lonesSent: number;
  readonly trains: readonly Train[];
  /** The train other than s with the largest rate: noise only ever adds time. */
  readonly best: Train | undefined;
  /** The last step, if it is unanswered. */
  readonly out: Step | undefined;
  readonly padBytes: number;
}

const isAnswered = (step: Step): step is Step & { readonly pongMs: number } => step.pongMs !== undefined;

/** kbit/s from bytes and milliseconds. */
export function rate(bytes: number, ms: number): number {
  return (8 * bytes) / Math.max(ms, K.MIN_SPREAD_MS);
}

export function weigh(steps: readonly Step[]): Evidence {
  const answered = steps.filter(isAnswered);
  const rttMs =
    answered.length === 0 ? undefined : Math.min(...answered.map((step) => step.pongMs - step.sentMs));
  const trains: Train[] = [];
  for (const step of answered) {
    if (step.kind === 'lone' || rttMs === undefined) continue;
    const tMs = step.pongMs - step.sentMs;
    const spreadMs = Math.max(tMs - rttMs, K.MIN_SPREAD_MS);
    trains.push({
      name: step.kind,
      bytes: step.padBytes,
      tMs,
      spreadMs,
      kbps: rate(step.padBytes, spreadMs),
    });
  }
  let best: Train | undefined;
  for (const train of trains) {
    if (train.name !== 's' && (best === undefined || train.kbps > best.kbps)) best = train;
  }
  const last = steps.at(-1);
  return {
    rttMs,
    lone: answered.filter((step) => step.kind === 'lone').map((step) => step.pongMs - step.sentMs),
    lonesSent: steps.filter((step) => step.kind === 'lone').length,
    trains,
    best,
    out: last !== undefined && !isAnswered(last) ? last : undefined,
    padBytes: steps.reduce((sum, step) => sum + step.padBytes, 0),
  };
}

/** Confirming pings without much noise of their own. */
export function validConfirmations(evidence: Evidence, best: Train): readonly number[] {
  return evidence.lone.slice(1).filter((tMs) => tMs <= best.tMs + K.VALID_CONFIRMATION_MS);
}

/** The warm-up's time, if the client was awake. */
export function warmUp(evidence: Evidence, rttMs: number): readonly number[] {
  const first = evidence.lone[0];
  return first !== undefined && first <= rttMs + K.WARM_MS ? [first] : [];
}

/** A time below which a train is not slow. */
export function slowBoundMs(name: TrainName, bytes: number, thresholdKbps: number): number {
  const ratio = name === 's' ? K.SLOW_SMALL_RATIO : K.SLOW_TRAIN_RATIO;
  return rate(bytes, ratio * thresholdKbps);
}

/** The slow trains that still count: an s that is not slow clears earlier ones. */
export function slowTrains(trains: readonly Train[], thresholdKbps: number): readonly Train[] {
  let slow: Train[] = [];
  for (const train of trains) {
    const isSlow = train.spreadMs > slowBoundMs(train.name, train.bytes, thresholdKbps);
    if (isSlow) slow.push(train);
    else if (train.name === 's') slow = [];
  }
  return slow;
}

/** min / max of two rates: 1 if they are equal. */
export function agreement(a: number, b: number): number {
  return Math.min(a, b) / Math.max(a, b);
}
