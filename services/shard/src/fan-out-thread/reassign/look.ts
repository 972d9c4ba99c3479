// A second look at one client's network while it is served: what its pongs show, and small trains of padding where they
// do not decide (docs/probe.md, A second look). One object a client, changed in place at each pong. It sends nothing and
// knows no socket: its caller sends what it asks for, when the client and the shard are calm.
import type { Finding } from '@weir/protocol';
import { PAD_FRAME_BYTES } from '@weir/protocol';
import { Floor } from './floor.ts';
import { RateBelief } from './rate-belief.ts';

/** `ping`: alone, to know the round trip; the others are trains. */
export type LookStep = 'ping' | keyof typeof TRAIN_FRAMES;
/** Frames of padding of the trains: A fits in the ten segments of an initial window, Z in twice eight. */
export const TRAIN_FRAMES = { s: 15, A: 86, Z: 144 } as const;
export type LookResult = 'fast' | 'slow' | 'unsure';

export interface LookLimits {
  /** Whether a client that is fast, or slow, is in the wrong pool. */
  readonly promotes: boolean;
  readonly demotes: boolean;
  /** When the first look begins at a client of which the router was not certain, and at one of which it was. */
  readonly unsureAfterMs: number;
  readonly sureAfterMs: number;
  /** From the beginning of a look to that of the next. */
  readonly everyMs: number;
}

/** A pong, as the delivery clock knows it. The caller may use one object for all of them. */
export interface LookPong {
  readonly lagMs: number;
  /** It answers the ping of a train. */
  readonly isTrain: boolean;
  /** What it proved: this many bytes arrived in this time, padding not among them. */
  readonly provenBytes: number;
  readonly provenMs: number;
  /** No ping is unanswered any more. */
  readonly isLast: boolean;
  readonly nowMs: number;
}

/** Natural logarithms of the odds: 100 to 1. What a move up needs beyond that: the router's bounds. */
const FAST_ODDS = 4.6;
const SLOW_ODDS = -4.6;
/** Where the pool is right, no move follows: less is enough if the train agrees, and still less if it was found before. */
const STAYS_ODDS = { unsure: 3, settled: 2 } as const;
const AGREES_ODDS = 0.5;
/** What the router's measurement, and what was known before a look, may count at most. */
const ROUTER_ODDS = { high: 3, medium: 2, low: 1 } as const;
const EARLIER_ODDS = 3;
/** Trains of a look at most, and the time between two. */
const TRAINS = 3;
const GAP_MS = 10_000;
/**
 * From the second look in a row on that found nothing, the next one waits twice as long, so many times: they cost most. If
 * the pool was settled, from the first one on: trains that contradict it now and then are those of a line with losses.
 */
const MOST_DOUBLINGS = 2;
/**
 * Where an earlier look, or a certain router, says otherwise, three trains in a row must agree: what passes within 20 s
 * moves no client.
 */
const CHANGE_GAP_MS = 15_000;
const CHANGE_SPAN_MS = 29_000;
/** A train's round trip is that of the pongs of this time; the class by round trip is that of a longer one. */
const NEAR_MS = 12_000;
const FAR_MS = 25_000;
/** Pongs that must have come before a train: of this time, and in all. */
const NEAR_PONGS = 4;
const PONGS = 8;
/** Pings alone before each train: behind a message the floor would have the message's own time, and the train less. */
const LONE_PONGS = 2;
const LONE_BYTES = 64;
/** A client that answers only the newest ping may answer none of them alone. */
const LONE_PINGS = 6;
/** The mean of the noise forgets within so many pongs; one that is much later than usual was lost, or met a stall. */
const NOISE_PONGS = 12;
const NOISE_TIMES = 3;
const NOISE_LEAST_MS = 20;
/** Bytes at once that prove a rate without any train. */
const PROVING_BYTES = 16_384;
/** Ten segments a round trip, times 2.89: what BBR's pacing begins with. No sender is slower. */
const PACED_BYTES = 41_800;
/** Below this part of the threshold the small train goes first: a larger one would delay what the client waits for. */
const SMALL_RATIO = 0.15;
const SMALL_SLOW_MS = 50;
/**
 * Small trains confirm what is known if each takes at least this part of the noise at the threshold (10 ms for 2 Mbit/s):
 * at most so many in a row, and only with so much together.
 */
const SMALL_NOISE_TIMES = 0.75;
const SMALLS = 4;
const SMALL_AGREES_ODDS = 2;
/** So near to the threshold, with so little noise beside the time of Z, further trains would find the same. */
const NEAR_RATIO = 1.2;
const NEAR_NOISE_TIMES = 12;
/** Below this part of the threshold a second A follows the first, not the larger Z, if A is as long beside the noise. */
const CLEARLY_SLOW_RATIO = 0.6;
const CLEARLY_SLOW_NOISE_TIMES = 4;
/** A look ends if, at the rate of its trains so far, those that are left lead to less than this part of what it needs. */
const HOPELESS = 0.4;
/** The router's bounds of the round trip for a move up and down (classify.ts). */
const UP_RTT = 220 / 270;
const DOWN_RTT = 340 / 270;
/** The router measured a rate with about as much. */
const ROUTER_TRAIN_BYTES: number = TRAIN_FRAMES.A * PAD_FRAME_BYTES;

export class Look {
  readonly #limits: LookLimits;
  readonly #router: Finding;
  readonly #openedMs: number;
  readonly #near: Floor;
  readonly #far: Floor;
  #noiseMs = 0;
  #pongs = 0;
  /** Of pings alone, since the last train. */
  #lonePongs = 0;
  #lonePings = 0;
  #belief: RateBelief | undefined = undefined;
  #dueMs: number;
  /** Trains that this look may still send; 0 between two looks. */
  #trainsLeft = 0;
  /** When this look, or the last one, began. */
  #beganMs = 0;
  #firstTrainMs = 0;
  #beganOdds = 0;
  #oddsBefore = 0;
  /** Of the last look, for a log: name and time of each train. */
  #trains = '';
  /** The step that is out, and the longer one that follows it at once. */
  #out: LookStep | undefined = undefined;
  #follows: LookStep | undefined = undefined;
  /** An A went before, so that the sender's window is open. */
  #isOpen = false;
  /** Small trains in a row. */
  #smalls = 0;
  /** The small train goes first. */
  #small: boolean;
  /** A certain router, or a look before, found that the pool is right. */
  #settled: boolean;
  #verdict: 'fast' | 'slow' | undefined = undefined;
  /** The likeliest rate at the end of the last look. */
  #kbps = 0;
  #result: LookResult | undefined = undefined;
  /** Looks in a row that found nothing; each counts twice if the pool was settled. */
  #unsureLooks = 0;

  constructor(finding: Finding, limits: LookLimits, nowMs: number) {
    this.#limits = limits;
    this.#router = finding;
    this.#openedMs = nowMs;
    this.#near = new Floor(NEAR_MS, nowMs);
    this.#far = new Floor(FAR_MS, nowMs);
    this.#settled = finding.confidence === 'high';
    this.#small = finding.kbps !== undefined && this.#isVerySlow(finding.kbps);
    this.#dueMs = nowMs + (this.#settled ? limits.sureAfterMs : limits.unsureAfterMs);
  }

  /** The class of the client, if it is certain and the pool is another's. */
  get verdict(): 'fast' | 'slow' | undefined {
    return this.#verdict;
  }

  /** What the hint of a move says. */
  get finding(): Finding {
    const { thresholds } = this.#router;
    const is = this.#verdict ?? this.#router.class;
    const rttMs = Math.max(1, Math.round(this.#far.value));
    // A client that is slow by its round trip has no rate to speak of.
    const byRtt = this.#isFar(DOWN_RTT);
    const kbps = byRtt || this.#kbps === 0 ? {} : { kbps: Math.round(this.#kbps) };
    // Nothing makes a train early, but a sender whose window has shrunk after losses makes all trains late. The router has
    // a new connection to measure on, so a slow rate is its to confirm.
    const sure = is === 'fast' || byRtt ? 'high' : 'medium';
    const confidence = this.#verdict === undefined ? 'low' : sure;
    return { class: is, confidence, rttMs, ...kbps, thresholds };
  }

  /** The same for a log, with what it rests on. */
  get inWords(): string {
    const { rttMs, kbps, thresholds } = this.finding;
    const rate = kbps === undefined ? 'no rate' : `${kbps} of ${thresholds.kbps} kbit/s`;
    return `${rttMs} of ${thresholds.rttMs} ms, noise ${this.#noiseMs.toFixed(1)} ms, ${rate}, trains${this.#trains || ' none'}`;
  }

  /** The result of a look that has ended since the last call. */
  takeResult(): LookResult | undefined {
    const result = this.#result;
    this.#result = undefined;
    return result;
  }

  /** A pong came that proved something. */
  heard(pong: LookPong): void {
    // After an answer to a later ping the train has been given up.
    if (pong.isTrain && this.#out !== undefined) this.#trained(pong);
    else this.#learn(pong);
    // A client that answers only the newest ping has swallowed the train's.
    if (this.#out !== undefined && pong.isLast) this.#ended(pong.nowMs);
    if (!pong.isTrain) this.#lookAtRtt(pong.nowMs);
  }

  /** What is to be sent now, if the client is calm; undefined if nothing is. */
  next(nowMs: number): LookStep | undefined {
    if (this.#out !== undefined) return undefined;
    if (this.#follows !== undefined) return this.#follows;
    if (nowMs < this.#dueMs) return undefined;
    if (this.#trainsLeft === 0 && !this.#begin(nowMs)) return undefined;
    if (!this.#isFloorKnown()) return 'ping';
    return this.#small || this.#isConfirmedCheaply() ? 's' : 'A';
  }

  #isFloorKnown(): boolean {
    const isAlone = this.#lonePongs >= LONE_PONGS || this.#lonePings >= LONE_PINGS;
    return isAlone && this.#near.count >= NEAR_PONGS && this.#pongs >= PONGS;
  }

  /** Two segments, or a few times two, are enough to confirm what is known if the noise is not much larger than they. */
  #isConfirmedCheaply(): boolean {
    if (!this.#settled) return false;
    return this.#noiseMs * SMALL_NOISE_TIMES < this.#atThresholdMs('s');
  }

  /** The network is as good for one pool as for the other. */
  #isNearThreshold(): boolean {
    if (this.#settled) return false;
    const ratio = this.#known().kbps / this.#router.thresholds.kbps;
    const isNear = ratio < NEAR_RATIO && ratio > 1 / NEAR_RATIO;
    return isNear && this.#noiseMs * NEAR_NOISE_TIMES < this.#atThresholdMs('Z');
  }

  /** What a train takes at the threshold of the rate. */
  #atThresholdMs(step: keyof typeof TRAIN_FRAMES): number {
    return (8 * TRAIN_FRAMES[step] * PAD_FRAME_BYTES) / this.#router.thresholds.kbps;
  }

  /** That was sent. */
  sent(step: LookStep, nowMs: number): void {
    if (step === 'ping') {
      this.#lonePings++;
      return;
    }
    this.#out = step;
    this.#smalls = step === 's' ? this.#smalls + 1 : 0;
    const isFirst = this.#follows === undefined;
    if (isFirst && this.#trainsLeft === TRAINS) this.#firstTrainMs = nowMs;
    // What a small train said is a hint: only larger ones agree or disagree.
    if (isFirst || (step === 'A' && !this.#isOpen)) this.#oddsBefore = this.#known().odds;
  }

  /** A ping that waited behind nothing but the messages of the moment. */
  #learn({ lagMs, provenBytes, provenMs, nowMs }: LookPong): void {
    this.#near.note(lagMs, nowMs);
    this.#far.note(lagMs, nowMs);
    this.#pongs++;
    if (provenBytes <= LONE_BYTES) this.#lonePongs++;
    const noiseMs = Math.min(NOISE_TIMES * this.#noiseMs + NOISE_LEAST_MS, lagMs - this.#near.value);
    this.#noiseMs += (noiseMs - this.#noiseMs) / Math.min(this.#pongs, NOISE_PONGS);
    if (provenBytes < PROVING_BYTES) return;
    // With a whole round trip on top, no late pong before it makes it too fast.
    const kbps = (8 * provenBytes) / (provenMs + this.#near.value);
    if (kbps >= this.#router.thresholds.kbps) this.#known().atLeast(kbps);
  }

  #trained({ lagMs, provenBytes, nowMs }: LookPong): void {
    const rttMs = Math.min(this.#near.newest, lagMs);
    const senderKbps = (8 * PACED_BYTES) / Math.max(1, rttMs);
    const belief = this.#known();
    const step = this.#out;
    const frames = step === undefined || step === 'ping' ? 0 : TRAIN_FRAMES[step];
    const bytes = provenBytes + frames * PAD_FRAME_BYTES;
    const spreadMs = Math.max(1, lagMs - rttMs);
    belief.add({
      bytes,
      spreadMs,
      noiseMs: this.#noiseMs,
      senderKbps,
      isFirst: !this.#isOpen && step === 'A',
    });
    this.#trains += ` ${step} ${Math.round(spreadMs)} ms`;
    this.#small = step === 's' ? spreadMs > SMALL_SLOW_MS : this.#isVerySlow((8 * bytes) / spreadMs);
    this.#out = undefined;
    const is = this.#classOf(belief.odds);
    // One small train is only a hint, and a shaper may let two segments of a slow link pass at once.
    const isSmall = step === 's' && (this.#isHint() || (is === 'fast' && this.#isWrong('fast')));
    const isOpen = is === undefined || isSmall;
    this.#follows = isOpen ? this.#after(step, (8 * bytes) / spreadMs) : undefined;
    this.#isOpen = this.#follows !== undefined && step === 'A';
    if (this.#follows === undefined) this.#ended(nowMs);
  }

  /** What follows at once: A has opened the sender's window. Where slow is no surprise, another A is enough. */
  #after(step: LookStep | undefined, kbps: number): LookStep | undefined {
    if (step === 's')
      return this.#isHint() && this.#smalls < SMALLS && this.#isConfirmedCheaply() ? 's' : 'A';
    if (step !== 'A' || this.#isOpen) return undefined;
    const isQuiet = this.#noiseMs * CLEARLY_SLOW_NOISE_TIMES < this.#atThresholdMs('A');
    const isEnough = kbps < CLEARLY_SLOW_RATIO * this.#router.thresholds.kbps;
    return isEnough && (isQuiet || !this.#isWrong('slow')) ? 'A' : 'Z';
  }

  /** The small trains so far have neither confirmed what is known nor contradicted it. */
  #isHint(): boolean {
    return Math.abs(this.#known().odds - this.#oddsBefore) < SMALL_AGREES_ODDS;
  }

  #isVerySlow(kbps: number): boolean {
    return kbps < SMALL_RATIO * this.#router.thresholds.kbps;
  }

  /** A train has ended: the look has, too, or waits for the next train. */
  #ended(nowMs: number): void {
    this.#out = undefined;
    this.#follows = undefined;
    this.#isOpen = false;
    this.#smalls = 0;
    this.#trainsLeft--;
    this.#lonePongs = 0;
    this.#lonePings = 0;
    const { odds } = this.#known();
    const is = this.#classOf(odds);
    if (is === undefined) return this.#wait(nowMs);
    if (!this.#isWrong(is) || !this.#settled) return this.#conclude(is);
    // A first A that is late says next to nothing; one that is early contradicts.
    const agrees =
      is === 'fast' ? odds >= this.#oddsBefore + AGREES_ODDS : odds < this.#oddsBefore + AGREES_ODDS;
    if (!agrees) return this.#conclude('unsure');
    if (nowMs - this.#firstTrainMs >= CHANGE_SPAN_MS) return this.#conclude(is);
    this.#wait(nowMs);
  }

  #wait(nowMs: number): void {
    if (this.#trainsLeft === 0 || this.#isHopeless() || this.#isNearThreshold())
      return this.#conclude('unsure');
    this.#dueMs = nowMs + (this.#settled ? CHANGE_GAP_MS : GAP_MS);
  }

  /** The trains that are left will not decide. */
  #isHopeless(): boolean {
    if (this.#settled && this.#trainsLeft > 1) return false;
    const { odds } = this.#known();
    const aTrain = (odds - this.#beganOdds) / (TRAINS - this.#trainsLeft);
    return this.#classOf((odds + aTrain * this.#trainsLeft) / HOPELESS) === undefined;
  }

  #conclude(is: LookResult): void {
    this.#trainsLeft = 0;
    this.#unsureLooks = is !== 'unsure' ? 0 : this.#unsureLooks + (this.#settled ? 2 : 1);
    const doublings = Math.min(Math.max(0, this.#unsureLooks - 1), MOST_DOUBLINGS);
    this.#dueMs = this.#beganMs + this.#limits.everyMs * 2 ** doublings;
    this.#result = is;
    const belief = this.#known();
    // Without any evidence there is no rate to speak of.
    if (belief.odds !== 0) this.#kbps = belief.kbps;
    // Networks change: what is known now counts for little at the next look.
    belief.fade(EARLIER_ODDS);
    if (is === 'unsure') return;
    if (this.#isWrong(is)) this.#verdict = is;
    else this.#settled = true;
  }

  /** Begins a look. False if it needs no train. */
  #begin(nowMs: number): boolean {
    const { promotes, demotes } = this.#limits;
    this.#verdict = undefined;
    this.#trains = '';
    this.#beganMs = nowMs;
    // The messages themselves have proved it since the last look.
    const isProven = !this.#isWrong('fast') && this.#known().odds >= FAST_ODDS && !this.#isFar(UP_RTT);
    if (isProven) this.#conclude('fast');
    else if (promotes && !demotes && this.#isFar(UP_RTT)) this.#conclude('slow');
    else this.#trainsLeft = TRAINS;
    this.#beganOdds = this.#known().odds;
    return this.#trainsLeft > 0;
  }

  /** A round trip beyond the threshold is slow at any rate. */
  #lookAtRtt(nowMs: number): void {
    if (!this.#limits.demotes || this.#verdict !== undefined || !this.#isFar(DOWN_RTT)) return;
    const isKnown = this.#settled
      ? this.#far.isFull
      : this.#pongs >= PONGS && nowMs - this.#openedMs >= this.#limits.unsureAfterMs;
    if (!isKnown) return;
    // A train that is out belongs to no look any more.
    this.#out = undefined;
    this.#follows = undefined;
    this.#beganMs = nowMs;
    this.#conclude('slow');
  }

  #isFar(part: number): boolean {
    return this.#far.value > this.#router.thresholds.rttMs * part && this.#pongs > 0;
  }

  #classOf(odds: number): 'fast' | 'slow' | undefined {
    const stays = STAYS_ODDS[this.#settled ? 'settled' : 'unsure'];
    const change = odds - this.#oddsBefore;
    const fastFrom = this.#isWrong('fast') || change < AGREES_ODDS ? FAST_ODDS : stays;
    if (odds >= fastFrom && !this.#isFar(UP_RTT)) return 'fast';
    const slowFrom = this.#isWrong('slow') || change > -AGREES_ODDS ? SLOW_ODDS : -stays;
    return odds <= slowFrom ? 'slow' : undefined;
  }

  #isWrong(is: 'fast' | 'slow'): boolean {
    return is === 'fast' ? this.#limits.promotes : this.#limits.demotes;
  }

  /** What is known of the rate. It begins with what the router measured. */
  #known(): RateBelief {
    if (this.#belief !== undefined) return this.#belief;
    const { kbps, confidence, thresholds } = this.#router;
    const belief = new RateBelief(thresholds.kbps);
    this.#belief = belief;
    if (kbps !== undefined) {
      const spreadMs = (8 * ROUTER_TRAIN_BYTES) / kbps;
      const noiseMs = this.#noiseMs;
      const senderKbps = Number.POSITIVE_INFINITY;
      belief.add({ bytes: ROUTER_TRAIN_BYTES, spreadMs, noiseMs, senderKbps, isFirst: false });
      belief.fade(ROUTER_ODDS[confidence]);
    }
    return belief;
  }
}
