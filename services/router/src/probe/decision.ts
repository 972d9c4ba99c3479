// The rule of the probe: the meaning of the steps so far, and the next step. A pure function of (steps, now).
// The lines have the numbers of docs/probe.md. Must never read a clock, write, or keep state.

import type { Confidence } from '@weir/protocol';
import type { TrainName } from './constants.ts';
import * as K from './constants.ts';
import {
  agreement,
  type Evidence,
  rate,
  type Step,
  slowBoundMs,
  slowTrains,
  type Train,
  validConfirmations,
  warmUp,
  weigh,
} from './evidence.ts';

export interface Rule {
  readonly deadlineMs: number;
  readonly maxBytes: number;
  readonly rateThresholdKbps: number;
  readonly rttThresholdMs: number;
  /** False: the probe may send no (further) pad, only lone pings. */
  readonly padding: boolean;
}

export interface Verdict {
  readonly act: 'decide';
  readonly class: 'fast' | 'slow';
  readonly confidence: Confidence;
  /** Absent if no rate was measured, or if the rate was not confirmed. */
  readonly kbps?: number;
  /** The line of the rule that decided. */
  readonly line: number;
}

export type Act =
  | { readonly act: 'ping' }
  | { readonly act: 'train'; readonly train: TrainName }
  /** Nothing to do before a pong, or before this time. */
  | { readonly act: 'wait'; readonly untilMs: number }
  | Verdict;

/** The common inputs of the lines. */
interface Case {
  readonly e: Evidence;
  readonly rttMs: number;
  readonly nowMs: number;
  readonly leftMs: number;
  readonly rule: Rule;
}

const PING: Act = { act: 'ping' };

export function decide(steps: readonly Step[], nowMs: number, rule: Rule): Act {
  const e = weigh(steps);
  if (nowMs >= rule.deadlineMs) return slow(1, 'low', rule, e.best?.kbps);
  if (steps.length === 0) return PING;
  if (e.rttMs === undefined) return awaitFirstPong(steps, nowMs, rule);
  const c: Case = { e, rttMs: e.rttMs, nowMs, leftMs: rule.deadlineMs - K.DEADLINE_RESERVE_MS - nowMs, rule };
  if (e.out !== undefined) return awaitPong(c, e.out);
  return (
    farAway(c) ??
    provenSlow(c) ??
    firstTrain(c) ??
    clearlyFast(c) ??
    nextTrain(c) ??
    agreedSlow(c) ??
    lastTrain(c) ??
    confirmed(c)
  );
}

/** Before the first pong: one repeat of the first ping, because bytes right behind the 101 get lost on some paths. */
function awaitFirstPong(steps: readonly Step[], nowMs: number, rule: Rule): Act {
  const [first, second] = steps;
  const repeatAtMs = Math.min(K.REPEAT_FIRST_PING_MS, rule.deadlineMs / 2) + (first?.sentMs ?? 0);
  if (second !== undefined) return { act: 'wait', untilMs: rule.deadlineMs };
  return nowMs >= repeatAtMs ? PING : { act: 'wait', untilMs: Math.min(repeatAtMs, rule.deadlineMs) };
}

/** A step is out. The end of lines 2 and 3: a step that is unanswered at this time can only be a slow link. */
function awaitPong(c: Case, out: Step): Act {
  const { rule, rttMs, e } = c;
  if (out.kind === 'lone') {
    if (rttMs < rule.rttThresholdMs) return { act: 'wait', untilMs: rule.deadlineMs };
    const untilMs = out.sentMs + K.SECOND_PING_RTTS * rule.rttThresholdMs;
    return c.nowMs >= untilMs ? slowByRtt(2, c) : waitAtMost(untilMs, rule);
  }
  const untilMs = out.sentMs + rttMs + patienceMs(c, out.kind, out.padBytes);
  if (c.nowMs < untilMs) return waitAtMost(untilMs, rule);
  return slowByRate(3, c, e.best?.kbps ?? rate(out.padBytes, c.nowMs - out.sentMs - rttMs));
}

/** Time beyond the RTT after which an unanswered train counts like an answered slow one. */
function patienceMs(c: Case, name: TrainName, bytes: number): number {
  const slowBefore = slowTrains(c.e.trains, c.rule.rateThresholdKbps);
  const own = slowBoundMs(name, bytes, c.rule.rateThresholdKbps);
  const [only] = slowBefore;
  if (only === undefined) return K.GIVE_UP_MS + K.GIVE_UP_RTTS * c.rttMs;
  if (slowBefore.length > 1 || only.name === 's' || name === 's') return own;
  return Math.max(own, (K.SLOW_AGREE_RATIO * only.spreadMs * bytes) / only.bytes);
}

/** Line 2: the RTT alone is over the threshold. */
function farAway(c: Case): Act | undefined {
  if (c.rttMs < c.rule.rttThresholdMs) return undefined;
  return c.e.lone.length + c.e.trains.length >= 2 ? slowByRtt(2, c) : PING;
}

/** Line 3: two slow trains that agree, or three. */
function provenSlow(c: Case): Act | undefined {
  const [a, b, third] = slowTrains(c.e.trains, c.rule.rateThresholdKbps);
  if (a === undefined || b === undefined) return undefined;
  const agree = a.name === 's' || b.name === 's' || agreement(a.kbps, b.kbps) >= K.SLOW_AGREE_RATIO;
  return third !== undefined || agree ? slowByRate(3, c, (c.e.best ?? b).kbps) : undefined;
}

/** Line 4: only pings and s so far. */
function firstTrain(c: Case): Act | undefined {
  if (c.e.best !== undefined) return undefined;
  if (c.leftMs < c.rttMs) return slow(4, 'low', c.rule);
  const last = c.e.trains.at(-1);
  const wantsSmall = c.rttMs >= K.SMALL_FIRST_RTT_MS && (last === undefined || isSlowTrain(last, c.rule));
  const train = wantsSmall ? 's' : 'A';
  if (fits(train, c)) return { act: 'train', train };
  // Without pads only the RTT is known, and a small RTT proves no rate.
  return c.e.lone.length < K.RTT_ONLY_PINGS ? PING : slow(4, 'low', c.rule, last?.kbps);
}

/** Line 5: a rate of twice the threshold needs little confirmation; a lower rate does too if the RTT is known well. */
function clearlyFast(c: Case): Act | undefined {
  const { best } = c.e;
  const t = c.rule.rateThresholdKbps;
  if (best === undefined || best.kbps < t) return undefined;
  if (isQuietFast(c.e, best, t)) return fast(5, c, best.kbps);
  if (best.kbps < K.CLEARLY_FAST_RATIO * t) return undefined;
  const sure = isRawFast(best, t) || isLongAfterSlower(c.e, t) || validConfirmations(c.e, best).length > 0;
  if (sure) return fast(5, c, best.kbps);
  return mayConfirm(c) ? PING : slow(5, 'low', c.rule);
}

/**
 * Line 6: after A alone, the most telling step. Over the threshold a ping is the cheapest, and mostly enough for line
 * 5.
 */
function nextTrain(c: Case): Act | undefined {
  const { trains, best } = c.e;
  if (best === undefined || trains.filter((train) => train.name !== 's').length > 1 || !hasRoom(c))
    return undefined;
  const t = c.rule.rateThresholdKbps;
  const hadSmall = trains.some((train) => train.name === 's');
  if (best.kbps < K.SMALL_NEXT_RATIO * t && !hadSmall && fits('s', c)) return { act: 'train', train: 's' };
  if (best.kbps < t) return fits('R', c) ? { act: 'train', train: 'R' } : undefined;
  if (best.kbps >= K.CLEARLY_FAST_RATIO * t) return undefined;
  if (wantsQuietPing(c, best)) return PING;
  return c.rttMs <= K.LONG_TRAIN_RTT_MS && fits('Z', c) ? { act: 'train', train: 'Z' } : undefined;
}

/** Line 7: A and R agree that it is slow. */
function agreedSlow(c: Case): Act | undefined {
  const a = c.e.trains.find((train) => train.name === 'A');
  const r = c.e.trains.find((train) => train.name === 'R');
  if (a === undefined || r === undefined) return undefined;
  if (Math.max(a.kbps, r.kbps) >= K.PAIR_SLOW_RATIO * c.rule.rateThresholdKbps) return undefined;
  return agreement(a.kbps, r.kbps) >= K.PAIR_AGREE_RATIO
    ? slowByRate(7, c, Math.max(a.kbps, r.kbps))
    : undefined;
}

/** Line 8: A and R do not agree. */
function lastTrain(c: Case): Act | undefined {
  const sent = c.e.trains.map((train) => train.name);
  const wanted = sent.includes('A') && sent.includes('R') && !sent.includes('E');
  return wanted && hasRoom(c) && fits('E', c) ? { act: 'train', train: 'E' } : undefined;
}

/** Line 9: near the threshold. Confirmations move the RTT from its smallest value towards its mean. */
function confirmed(c: Case): Act {
  const { e, rule, rttMs } = c;
  const t = rule.rateThresholdKbps;
  const { best } = e;
  if (best === undefined) return slow(9, 'low', rule); // impossible: line 4 excludes it
  const valid = validConfirmations(e, best);
  const confirmations = [...valid, ...warmUp(e, rttMs)];
  const usualMs = confirmations.length >= 2 ? rttMs + K.MEAN_WEIGHT * (mean(confirmations) - rttMs) : rttMs;
  const rateOf = (train: Train): number => rate(train.bytes, train.tMs - usualMs);
  const kbps = Math.max(...e.trains.filter((train) => train.name !== 's').map(rateOf));
  const long = e.trains.find((train) => train.name === 'Z');
  const clear =
    kbps < K.CLEARLY_SLOW_RATIO * t || (long !== undefined && rateOf(long) >= K.LONG_FAST_RATIO * t);
  const enough =
    valid.length > 0 && confirmations.length >= (clear ? K.CLEAR_CONFIRMATIONS : K.CONFIRMATIONS);
  if (kbps >= t && (enough || isRawFast(best, t))) return fast(9, c, kbps);
  if (kbps < t && (enough || kbps < K.WORTH_CONFIRMING_RATIO * t)) return slowByRate(9, c, kbps);
  if (mayConfirm(c)) return PING;
  const quiet = e.lone.filter((tMs) => tMs <= rttMs + K.WARM_MS).length >= K.LATE_LONE_PINGS;
  const late = kbps >= t && valid.length > 0 && quiet && best.kbps >= K.LATE_FAST_RATIO * t;
  return late ? fast(9, c, kbps, 'low') : slow(9, 'low', rule, kbps);
}

function mayConfirm(c: Case): boolean {
  return c.leftMs >= c.rttMs && c.e.lonesSent <= K.MAX_CONFIRMATION_PINGS;
}

function hasRoom(c: Case): boolean {
  return c.leftMs >= K.TRAIN_ROOM_RTTS * c.rttMs + K.TRAIN_ROOM_MS;
}

/** Room for the pad, and for the pings of all past and possible further steps. */
function fits(train: TrainName, c: Case): boolean {
  const pings = K.MAX_CONFIRMATION_PINGS + 1 + c.e.trains.length + 1;
  const bytes = c.e.padBytes + K.TRAIN_FRAMES[train] * K.PAD_FRAME_BYTES + pings * K.PING_FRAME_BYTES;
  return c.rule.padding && bytes <= c.rule.maxBytes;
}

function isSlowTrain(train: Train, rule: Rule): boolean {
  return train.spreadMs > slowBoundMs(train.name, train.bytes, rule.rateThresholdKbps);
}

function isRawFast(best: Train, thresholdKbps: number): boolean {
  return rate(best.bytes, best.tMs) >= K.RAW_FAST_RATIO * thresholdKbps;
}

/**
 * Fast even if the RTT were smaller than the smallest time by the difference of the two quickest lone pings plus a
 * margin. Noise on a train only makes its rate smaller, so only an RTT that is too large can make the rate too large.
 * Not after a slow first train.
 */
function isQuietFast({ lone, rttMs }: Evidence, best: Train, thresholdKbps: number): boolean {
  const [, second] = lone.toSorted((a, b) => a - b);
  if (second === undefined || rttMs === undefined || (best.name !== 'A' && best.name !== 'Z')) return false;
  const worstMs = best.spreadMs + (second - rttMs) + K.QUIET_MARGIN_MS;
  return worstMs <= rate(best.bytes, thresholdKbps);
}

/** Until two pings met an awake client, or three were sent. */
function wantsQuietPing(c: Case, best: Train): boolean {
  const awake = validConfirmations(c.e, best).length + warmUp(c.e, c.rttMs).length;
  return awake < K.QUIET_PINGS && c.e.lonesSent <= K.QUIET_PINGS && mayConfirm(c);
}

/** An A below twice the threshold shows that the measured RTT is not far too large, and Z weighs twice as much. */
function isLongAfterSlower({ best, trains }: Evidence, thresholdKbps: number): boolean {
  const first = trains.find((train) => train.name === 'A');
  return best?.name === 'Z' && first !== undefined && first.kbps < K.CLEARLY_FAST_RATIO * thresholdKbps;
}

function waitAtMost(untilMs: number, rule: Rule): Act {
  return { act: 'wait', untilMs: Math.min(untilMs, rule.deadlineMs) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function confidenceOf(value: number, threshold: number): Confidence {
  const distance = Math.abs(Math.log2(value / threshold));
  if (distance >= K.CONFIDENCE_HIGH) return 'high';
  return distance >= K.CONFIDENCE_MEDIUM ? 'medium' : 'low';
}

function fast(line: number, c: Case, kbps: number, confidence?: Confidence): Verdict {
  return {
    act: 'decide',
    class: 'fast',
    confidence: confidence ?? confidenceOf(kbps, c.rule.rateThresholdKbps),
    kbps,
    line,
  };
}

/** A rate over the threshold with the result slow was not confirmed, so it is not reported. */
function slow(line: number, confidence: Confidence, rule: Rule, kbps?: number): Verdict {
  const known = kbps !== undefined && kbps < rule.rateThresholdKbps;
  return { act: 'decide', class: 'slow', confidence, line, ...(known ? { kbps } : {}) };
}

function slowByRate(line: number, c: Case, kbps: number): Verdict {
  return slow(line, confidenceOf(kbps, c.rule.rateThresholdKbps), c.rule, kbps);
}

function slowByRtt(line: number, c: Case): Verdict {
  return slow(line, confidenceOf(c.rttMs, c.rule.rttThresholdMs), c.rule);
}
