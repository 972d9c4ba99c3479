// For tests: one client's link in virtual time, and a second look at the client. Jitter is half-normal, each way and for
// each segment, without reordering; a lost segment costs a round trip, the last ones of a train two.
import { PAD_FRAME_BYTES } from '@weir/protocol';
import type { Look, LookResult } from '../fan-out-thread/reassign/look.ts';
import { TRAIN_FRAMES } from '../fan-out-thread/reassign/look.ts';

export interface NoisyLink {
  readonly kbps: number;
  readonly rttMs: number;
  readonly jitterMs?: number;
  /** Arrivals are bundled into slots of this length. */
  readonly slotMs?: number;
  /** Chance of a segment to be lost. */
  readonly loss?: number;
  /** The server paces as BBR does before it knows the rate. */
  readonly paced?: boolean;
  /** Segments that the server may have under way after losses, as cubic; one more in each round trip. */
  readonly window?: number;
}

const SEGMENT_BYTES = 1_448;
const HEADER_BYTES = 52;
const PACED_BYTES = 41_800;
const RETRANSMIT_MS = 200;

/** mulberry32: the same in each run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** From the write of so many bytes with a ping behind them to its pong. */
function roundTripMs(link: NoisyLink, bytes: number, random: () => number): number {
  const { kbps, rttMs, jitterMs = 0, slotMs = 0, loss = 0, paced = false } = link;
  const { window = Number.POSITIVE_INFINITY } = link;
  const jitter = (): number =>
    jitterMs * Math.abs(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  const bundled = (ms: number): number => {
    if (slotMs === 0) return ms;
    const phase = random() * slotMs;
    return Math.ceil((ms + phase) / slotMs) * slotMs - phase;
  };
  const segments = Math.max(1, Math.ceil(bytes / SEGMENT_BYTES));
  let roundsMs = 0;
  let room = window;
  for (let left = segments - room; left > 0; left -= ++room) roundsMs += rttMs;
  let sentMs = 0;
  let thereMs = 0;
  let repeatMs = 0;
  for (let i = 0; i < segments; i++) {
    const length = Math.min(SEGMENT_BYTES, bytes - i * SEGMENT_BYTES) + HEADER_BYTES;
    const readyMs = paced ? (i * SEGMENT_BYTES * rttMs) / PACED_BYTES : 0;
    sentMs = Math.max(sentMs, readyMs) + (length * 8) / kbps;
    if (random() < loss) repeatMs = Math.max(repeatMs, i >= segments - 3 ? 2 * rttMs + 20 : rttMs);
    thereMs = Math.max(thereMs, bundled(sentMs + rttMs / 2 + jitter()));
  }
  const backMs = bundled(Math.max(thereMs, roundsMs + rttMs / 2) + repeatMs + rttMs / 2 + jitter());
  return random() < loss ? backMs + RETRANSMIT_MS + rttMs : backMs;
}

const PING_BYTES = 14;
/** A message a second, with a ping behind it. */
const EVERY_MS = 1_000;
const MESSAGE_BYTES = 700;

export interface Looked {
  readonly results: readonly { readonly atMs: number; readonly is: LookResult }[];
  /** When the look first said that the pool is wrong. */
  readonly verdictMs: number | undefined;
  readonly verdict: 'fast' | 'slow' | undefined;
  readonly padBytes: number;
  /** When each train was sent. */
  readonly trainsMs: readonly number[];
}

/** Lets a look watch a client for so long; `linkAt` is the link at a time. Ends at a verdict. */
export function watch(
  look: Look,
  linkAt: (nowMs: number) => NoisyLink,
  { forMs, random, everyMs = EVERY_MS }: { forMs: number; random: () => number; everyMs?: number },
): Looked {
  const results: { atMs: number; is: LookResult }[] = [];
  const trainsMs: number[] = [];
  let padBytes = 0;
  let nowMs = 0;
  let nextMs = everyMs;
  let out:
    | { readonly backMs: number; readonly sentMs: number; readonly isTrain: boolean; readonly bytes: number }
    | undefined;
  const send = (bytes: number, isTrain: boolean): void => {
    out = { sentMs: nowMs, backMs: nowMs + roundTripMs(linkAt(nowMs), bytes, random), isTrain, bytes };
  };
  while (nowMs < forMs && look.verdict === undefined) {
    if (out === undefined) {
      nowMs = nextMs;
      nextMs += everyMs;
      send(MESSAGE_BYTES, false);
    }
    const { backMs, sentMs, isTrain, bytes } = out ?? {
      backMs: nowMs,
      sentMs: nowMs,
      isTrain: false,
      bytes: 0,
    };
    nowMs = backMs;
    nextMs = Math.max(nextMs, nowMs);
    out = undefined;
    const lagMs = backMs - sentMs;
    const provenBytes = isTrain ? PING_BYTES : bytes;
    look.heard({ lagMs, isTrain, provenBytes, provenMs: everyMs, isLast: true, nowMs });
    const is = look.takeResult();
    if (is !== undefined) results.push({ atMs: nowMs, is });
    const step = look.next(nowMs);
    if (step === undefined) continue;
    const pad = step === 'ping' ? 0 : TRAIN_FRAMES[step] * PAD_FRAME_BYTES;
    padBytes += pad;
    if (pad > 0 && nowMs - (trainsMs.at(-1) ?? -1e9) > 5_000) trainsMs.push(nowMs);
    look.sent(step, nowMs);
    send(pad + PING_BYTES, pad > 0);
  }
  const { verdict } = look;
  return { results, verdict, verdictMs: verdict === undefined ? undefined : nowMs, padBytes, trainsMs };
}
