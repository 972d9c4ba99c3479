// What all trains together say about the rate of one link: the log-likelihood of a few rates around the threshold. Trains
// are independent, so their log-likelihoods add (docs/probe.md, A second look). Pure arithmetic: it knows no clock, no
// socket and no pool.

/** The rates are the threshold times 2^(k / STEPS), for k from -HALF to HALF: a quarter to four times the threshold. */
const STEPS = 4;
const HALF = 8;
const RATES: number = 2 * HALF + 1;
const RATIOS: readonly number[] = Array.from({ length: RATES }, (_, i) => 2 ** ((i - HALF) / STEPS));

/** A train's noise, beyond the mean of the noise of pings: a part of that mean, and of what timers and headers add. */
const SPREAD_OF_NOISE = 0.6;
const SPREAD_MS = 1.5;
const SPREAD_OF_TIME = 0.03;
/** A late train is likelier than an early one: segments wait for each other, and so does a busy client. */
const LATE_SPREAD = 1.6;
/** How much one train may count against a rate: a lost segment or a sleeping radio makes any train late. */
const LATE_MOST = 4;
/** Of a train that opens the sender's window: until then the sender may be slower than its link. */
const LATE_FIRST = 1;
const EARLY_MOST = 12;
/** What goes over the wire for each byte of a train: TCP, IP and Ethernet. */
const OVERHEAD = 1.04;

/** One answered train: a pad with a ping behind it. */
export interface Train {
  readonly bytes: number;
  /** From the write to the pong, less the smallest round trip. */
  readonly spreadMs: number;
  /** How much later than the smallest round trip pings come back on average. */
  readonly noiseMs: number;
  /** A sender that paces, or has a small window, may send no faster than this. */
  readonly senderKbps: number;
  /** It opens the sender's window, for the next train. */
  readonly isFirst: boolean;
}

export class RateBelief {
  readonly #thresholdKbps: number;
  readonly #log: Float32Array = new Float32Array(RATES);

  constructor(thresholdKbps: number) {
    this.#thresholdKbps = thresholdKbps;
  }

  /** A train adds to what is known. */
  add({ bytes, spreadMs, noiseMs, senderKbps, isFirst }: Train): void {
    const lateMost = isFirst ? LATE_FIRST : LATE_MOST;
    for (let i = 0; i < RATES; i++) {
      const kbps = this.#rate(i);
      const fastestMs = wireMs(bytes, kbps);
      const slowestMs = wireMs(bytes, Math.min(kbps, senderKbps));
      const spread = SPREAD_OF_NOISE * noiseMs + SPREAD_MS + SPREAD_OF_TIME * fastestMs;
      const early = (fastestMs + noiseMs - spreadMs) / spread;
      const lateMs = spreadMs - slowestMs - noiseMs;
      const late = lateMs / (LATE_SPREAD * spread);
      // The first and the last of the rates stand for all beyond them.
      if (early > 0 && i < RATES - 1) this.#less(i, Math.min(EARLY_MOST, (early * early) / 2));
      else if (late > 0 && i > 0) {
        // Jitter is normal near its mean; stalls have a longer tail.
        const byStall = lateMs / (noiseMs + SPREAD_MS + SPREAD_OF_TIME * fastestMs);
        this.#less(i, Math.min(lateMost, Math.max((late * late) / 2, byStall)));
      }
    }
  }

  /** Bytes have arrived at this rate, by a measure that noise only makes smaller: the link is no slower. */
  atLeast(kbps: number): void {
    for (let i = 0; i < RATES; i++) if (this.#rate(i) < kbps) this.#less(i, EARLY_MOST);
  }

  /** What is known is old: it counts at most this much for either side from now on. */
  fade(most: number): void {
    const odds = Math.abs(this.odds);
    if (odds <= most) return;
    for (let i = 0; i < RATES; i++) this.#log[i] = this.#at(i) * (most / odds);
  }

  /**
   * How much likelier the likeliest rate from the threshold on is than the likeliest below it, as a natural logarithm: 0 if
   * nothing is known, 4.6 for 100 to 1.
   */
  get odds(): number {
    return this.#most(HALF, RATES) - this.#most(0, HALF);
  }

  /** The likeliest rate. */
  get kbps(): number {
    let best = HALF;
    let weights = 0;
    let sum = 0;
    for (let i = 0; i < RATES; i++) if (this.#at(i) > this.#at(best)) best = i;
    for (let i = 0; i < RATES; i++) {
      const weight = Math.exp(this.#at(i) - this.#at(best));
      weights += weight;
      sum += weight * (i - HALF);
    }
    return this.#thresholdKbps * 2 ** (sum / weights / STEPS);
  }

  #most(from: number, to: number): number {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = from; i < to; i++) most = Math.max(most, this.#at(i));
    return most;
  }

  #rate(i: number): number {
    return this.#thresholdKbps * (RATIOS[i] ?? 1);
  }

  #at(i: number): number {
    return this.#log[i] ?? 0;
  }

  #less(i: number, by: number): void {
    this.#log[i] = this.#at(i) - by;
  }
}

function wireMs(bytes: number, kbps: number): number {
  return (8 * OVERHEAD * bytes) / kbps;
}
