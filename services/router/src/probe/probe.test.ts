// The probe on a virtual link: no network, no real time. What it must keep to whatever the other side does.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createProbe,
  createProbeBudget,
  DEFAULT_LIMITS,
  type ProbeResult,
  type ProbeSocket,
} from './probe.ts';

/** Time that goes on only from event to event. */
class Timeline {
  nowMs = 0;
  #events: { atMs: number; id: number; run: () => void }[] = [];
  #lastId = 0;
  monotonicMs(): number {
    return this.nowMs;
  }
  at(atMs: number, run: () => void): number {
    const id = ++this.#lastId;
    this.#events.push({ atMs: Math.max(atMs, this.nowMs), id, run });
    return id;
  }
  cancel(id: unknown): void {
    this.#events = this.#events.filter((event) => event.id !== id);
  }
  get pending(): number {
    return this.#events.length;
  }
  runAll(): void {
    for (let turns = 0; this.#events.length > 0; turns++) {
      if (turns > 10_000) throw new Error('time does not end');
      this.#events.sort((a, b) => a.atMs - b.atMs || a.id - b.id);
      const event = this.#events.shift();
      if (event === undefined) return;
      this.nowMs = event.atMs;
      event.run();
    }
  }
}

interface Link {
  readonly kbps: number;
  readonly rttMs: number;
  /** Added to each step, by number. */
  readonly noiseMs?: (step: number) => number;
  /** The client reads nothing before, then all at once. */
  readonly deafMs?: number;
  readonly losesFirst?: boolean;
  readonly closesOnPad?: boolean;
  readonly closesAtMs?: number;
  /** What the client makes of a ping's payload; undefined = no answer. */
  readonly answer?: (nonce: Uint8Array, step: number) => Uint8Array | undefined;
}

/** A client behind a link of one rate, one delay and an endless buffer. */
class VirtualClient implements ProbeSocket {
  readonly writes: Uint8Array[] = [];
  readonly #time: Timeline;
  readonly #link: Link;
  #pongs: (payload: Uint8Array) => void = () => {};
  #closes: () => void = () => {};
  #freeAtMs = 0;
  #lastPongMs = 0;
  released = 0;

  constructor(time: Timeline, link: Link) {
    this.#time = time;
    this.#link = link;
    if (link.closesAtMs !== undefined) time.at(link.closesAtMs, () => this.#closes());
  }

  write(bytes: Uint8Array): boolean {
    const step = this.writes.push(bytes);
    const link = this.#link;
    const segments = Math.ceil(bytes.length / 1448);
    this.#freeAtMs =
      Math.max(this.#freeAtMs, this.#time.nowMs) + ((bytes.length + 52 * segments) * 8) / link.kbps;
    const nonce = bytes.subarray(bytes.length - 8);
    const answer = link.answer === undefined ? nonce : link.answer(nonce, step);
    if (step === 1 && link.losesFirst === true) return true;
    const readMs = Math.max(this.#freeAtMs + link.rttMs / 2, link.deafMs ?? 0);
    if (bytes.length > 100 && link.closesOnPad === true) {
      this.#time.at(readMs + link.rttMs / 2, () => this.#closes());
      return true;
    }
    const noiseMs = Math.max(0, link.noiseMs?.(step) ?? 0);
    this.#lastPongMs = Math.max(this.#lastPongMs, readMs + link.rttMs / 2 + noiseMs);
    if (answer !== undefined) this.#time.at(this.#lastPongMs, () => this.#answered(answer));
    return true;
  }
  #answered(answer: Uint8Array): void {
    this.#pongs(answer);
  }
  onPong(listener: (payload: Uint8Array) => void): () => void {
    this.#pongs = listener;
    return () => {
      this.released++;
    };
  }
  onClose(listener: () => void): () => void {
    this.#closes = listener;
    return () => {
      this.released++;
    };
  }
  get bytes(): number {
    return this.writes.reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

interface Setting {
  readonly padding?: boolean;
  readonly maxBytes?: number;
  readonly take?: (bytes: number) => boolean;
  readonly busyRatio?: number;
}

/** Different bytes each time, the same in each run. */
function counted(): (bytes: number) => Uint8Array {
  let n = 0;
  return (bytes) => Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? ++n : (n * 31 + i * 7) % 251));
}

async function probe(
  link: Link,
  o: Setting = {},
): Promise<{ result: ProbeResult; client: VirtualClient; time: Timeline }> {
  const time = new Timeline();
  const client = new VirtualClient(time, link);
  const { run } = createProbe({
    limits: { ...DEFAULT_LIMITS, maxBytes: o.maxBytes ?? DEFAULT_LIMITS.maxBytes },
    budget: { take: o.take ?? (() => true) },
    clock: time,
    setTimer: (done, delayMs) => time.at(time.nowMs + delayMs, done),
    clearTimer: (timer) => time.cancel(timer),
    random: counted(),
    watchLoop: () => () => o.busyRatio ?? 0,
  });
  const running = run(client, { padding: o.padding ?? true });
  time.runAll();
  return { result: await running, client, time };
}

const classOf = async (link: Link): Promise<string> => (await probe(link)).result.class;

const RATES = [30, 80, 250, 700, 1000, 1500, 2600, 3000, 4500, 9000, 30_000, 200_000, 1_000_000];
const RTTS = [0.1, 1, 8, 20, 50, 100, 150, 210];

describe('the class on a quiet link', () => {
  it.each(RATES)('at %i kbit/s is right at any RTT', async (kbps) => {
    for (const rttMs of RTTS) {
      expect([rttMs, await classOf({ kbps, rttMs })]).toEqual([rttMs, kbps > 2000 ? 'fast' : 'slow']);
    }
  });
  it('is slow where the RTT is over the threshold, whatever the rate', async () => {
    for (const rttMs of [280, 400, 630, 1300]) expect(await classOf({ kbps: 200_000, rttMs })).toBe('slow');
  });
  it('only ever changes from slow to fast as the rate grows', async () => {
    for (const rttMs of [1, 20, 60, 140, 230]) {
      const classes = [];
      for (let kbps = 1400; kbps <= 3200; kbps += 50) classes.push(await classOf({ kbps, rttMs }));
      expect(classes.lastIndexOf('slow')).toBeLessThan(classes.indexOf('fast'));
    }
  });
  it('is found in one RTT and the pad where the link is clearly fast', async () => {
    const { result } = await probe({ kbps: 200_000, rttMs: 8 });
    expect(result).toMatchObject({ outcome: 'measured', class: 'fast', confidence: 'high', trains: 1 });
    expect(result.tookMs).toBeLessThan(20);
    expect(result.bytes).toBe(10_922 + 20);
  });
  it('costs a slow and distant client less than 4 KB', async () => {
    expect((await probe({ kbps: 200, rttMs: 230 })).result.bytes).toBeLessThan(4000);
  });
  it('survives a client that is deaf for its first 60 ms', async () => {
    for (const kbps of [80, 1000, 1400]) expect(await classOf({ kbps, rttMs: 20, deafMs: 60 })).toBe('slow');
    for (const kbps of [3000, 50_000]) expect(await classOf({ kbps, rttMs: 20, deafMs: 60 })).toBe('fast');
  });
  it('survives a lost first ping', async () => {
    const near = await probe({ kbps: 50_000, rttMs: 20, losesFirst: true });
    expect(near.result).toMatchObject({ outcome: 'measured', class: 'fast' });
    expect(near.result.tookMs).toBeLessThan(800);
    expect(await classOf({ kbps: 50_000, rttMs: 180, losesFirst: true })).toBe('fast');
    expect(await classOf({ kbps: 80, rttMs: 60, losesFirst: true })).toBe('slow');
  });
});

describe('a process that has no moment to spare', () => {
  const far = { kbps: 200_000, rttMs: 600 };
  it('does not trust itself with a client that looks slow', async () => {
    expect((await probe(far)).result).toMatchObject({ class: 'slow', confidence: 'high' });
    expect((await probe(far, { busyRatio: 0.95 })).result).toMatchObject({
      class: 'slow',
      confidence: 'low',
    });
    expect((await probe(far, { busyRatio: 0.8 })).result).toMatchObject({ confidence: 'high' });
  });
  it('believes one that looks fast: waiting makes nobody faster', async () => {
    const { result } = await probe({ kbps: 200_000, rttMs: 8 }, { busyRatio: 1 });
    expect(result).toMatchObject({ class: 'fast', confidence: 'high' });
  });
});

describe('the bounds', () => {
  const anyLink = fc.record({
    kbps: fc.double({ min: 10, max: 500_000, noNaN: true }),
    rttMs: fc.double({ min: 0, max: 2000, noNaN: true }),
    noise: fc.array(fc.double({ min: 0, max: 600, noNaN: true }), { minLength: 16, maxLength: 16 }),
    deafMs: fc.constantFrom(0, 0, 60, 400, 1600),
    losesFirst: fc.boolean(),
    maxBytes: fc.constantFrom(0, 2500, 12_000, 25_000, 40_000, 100_000),
    padding: fc.boolean(),
  });
  it('are kept on any link: bytes, deadline, one step out, listeners and timers released', async () => {
    await fc.assert(
      fc.asyncProperty(anyLink, async ({ noise, maxBytes, padding, ...link }) => {
        const { result, client, time } = await probe(
          { ...link, noiseMs: (step) => noise[step % 16] ?? 0 },
          { maxBytes, padding },
        );
        expect(result.bytes).toBe(client.bytes);
        expect(result.bytes).toBeLessThanOrEqual(Math.min(Math.max(maxBytes, 90), 40_000));
        expect(result.tookMs).toBeLessThanOrEqual(1501);
        expect(client.released).toBe(2);
        expect(time.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
  it('hold against pongs that are forged, early, doubled or late', async () => {
    const anyAnswer = fc.constantFrom<NonNullable<Link['answer']>>(
      (nonce) => nonce,
      () => new Uint8Array(8),
      () => new Uint8Array(0),
      () => undefined,
      (nonce) => nonce.slice(0, 7),
      (nonce) => nonce.map((byte) => byte ^ 1),
    );
    await fc.assert(
      fc.asyncProperty(
        anyLink,
        fc.array(anyAnswer, { minLength: 4, maxLength: 4 }),
        async (link, answers) => {
          const { result } = await probe({
            ...link,
            answer: (nonce, step) => answers[step % 4]?.(nonce, step),
          });
          expect(result.tookMs).toBeLessThanOrEqual(1501);
        },
      ),
    );
  });
  it('a client that never gives back the nonce is never fast', async () => {
    const { result } = await probe({ kbps: 1e6, rttMs: 1, answer: () => new Uint8Array(8) });
    expect(result).toMatchObject({ outcome: 'silent', class: 'slow', confidence: 'low', bytes: 20 });
    expect(result).not.toHaveProperty('rttMs');
  });
  it('a pong that is answered with the nonce of an earlier step is ignored', async () => {
    let first: Uint8Array | undefined;
    const { result } = await probe({
      kbps: 1e6,
      rttMs: 1,
      answer: (nonce, step) => {
        if (step === 1) first = nonce;
        return first;
      },
    });
    expect(result.class).toBe('slow');
  });
});

describe('what ends a probe', () => {
  it('closing before any pad', async () => {
    const { result } = await probe({ kbps: 1000, rttMs: 100, closesAtMs: 50 });
    expect(result).toMatchObject({ outcome: 'closed', class: 'slow', trains: 0 });
  });
  it('closing on the pad', async () => {
    const { result } = await probe({ kbps: 10_000, rttMs: 20, closesOnPad: true });
    expect(result).toMatchObject({ outcome: 'closedOnPad', class: 'slow', trains: 1 });
  });
  it('no pads wanted: the RTT alone never proves a rate', async () => {
    const { result } = await probe({ kbps: 1e6, rttMs: 5 }, { padding: false });
    expect(result).toMatchObject({
      outcome: 'measured',
      class: 'slow',
      confidence: 'low',
      bytes: 20,
      trains: 0,
    });
    expect(result.rttMs).toBeCloseTo(5, 1);
  });
  it('an empty budget: the same, said so', async () => {
    const { result } = await probe({ kbps: 1e6, rttMs: 5 }, { take: () => false });
    expect(result).toMatchObject({ outcome: 'noBudget', class: 'slow', trains: 0 });
  });
  it('a budget that empties after the first train: decided on what there is', async () => {
    let left = 1;
    const { result } = await probe({ kbps: 1400, rttMs: 50 }, { take: () => left-- > 0 });
    expect(result).toMatchObject({ outcome: 'measured', class: 'slow', trains: 1 });
  });
});

describe('the frames', () => {
  it('are complete, unmasked pongs of 125 bytes and one ping, in one write', async () => {
    const { client } = await probe({ kbps: 50_000, rttMs: 5 });
    const train = client.writes[1] ?? new Uint8Array();
    const kinds: string[] = [];
    for (let at = 0; at < train.length; at += 2 + (train[at + 1] ?? 0))
      kinds.push(`${train[at]}/${train[at + 1]}`);
    expect(kinds).toEqual([...Array.from({ length: 86 }, () => '138/125'), '137/8']);
  });
  it('never repeat a nonce', async () => {
    const { client } = await probe({ kbps: 2100, rttMs: 60 });
    const nonces = client.writes.map((bytes) => bytes.slice(-8).join());
    expect(new Set(nonces).size).toBe(nonces.length);
  });
});

describe('the budget', () => {
  it('gives a second at once and then its rate', () => {
    const time = new Timeline();
    const budget = createProbeBudget({ bytesPerSecond: 20_000, clock: time });
    expect(budget.take(11_000)).toBe(true);
    expect(budget.take(11_000)).toBe(false);
    time.nowMs = 100;
    expect(budget.take(11_000)).toBe(true);
    time.nowMs = 60_000;
    expect(budget.take(20_001)).toBe(false);
    expect(budget.take(20_000)).toBe(true);
  });
});
