// Second looks at clients on links in virtual time: what is found, when, and for how much padding.
import type { Finding } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Looked, NoisyLink } from '../../fakes/noisy-link.ts';
import { seeded, watch } from '../../fakes/noisy-link.ts';
import type { LookStep } from './look.ts';
import { Look } from './look.ts';
import { LookBudget } from './look-budget.ts';

const thresholds = { kbps: 2_000, rttMs: 270 };
const mobile = {
  promotes: true,
  demotes: false,
  unsureAfterMs: 10_000,
  sureAfterMs: 60_000,
  everyMs: 75_000,
};
const desktop = { ...mobile, promotes: false, demotes: true };
const found = (is: Finding['class'], confidence: Finding['confidence'], kbps?: number): Finding => ({
  class: is,
  confidence,
  rttMs: 60,
  ...(kbps === undefined ? {} : { kbps }),
  thresholds,
});
const wronglySlow = found('slow', 'low', 1_500);
const wronglyFast = found('fast', 'low', 2_600);

const MINUTES = 60_000;
const hspaPlus: NoisyLink = { kbps: 3_400, rttMs: 140, jitterMs: 18, slotMs: 10 };
const narrow: NoisyLink = { kbps: 1_000, rttMs: 60, jitterMs: 5 };
const lte: NoisyLink = { kbps: 12_000, rttMs: 70, jitterMs: 8, slotMs: 5 };

function many(count: number, one: (random: () => number) => Looked): readonly Looked[] {
  return Array.from({ length: count }, (_, i) => one(seeded(i + 1)));
}
const share = (all: readonly Looked[], is: 'fast' | 'slow'): number =>
  all.filter(({ verdict }) => verdict === is).length / all.length;

describe('a client that the router measured without certainty', () => {
  it.each([
    ['fast, with jitter and bursts', hspaPlus],
    ['fast, a quarter above the threshold', { kbps: 2_600, rttMs: 60, jitterMs: 4 }],
    ['fast, with losses', { kbps: 8_000, rttMs: 40, jitterMs: 5, slotMs: 5, loss: 0.01 }],
  ])('and that is %s leaves the slow pool within two minutes', (_what, link) => {
    const all = many(200, (random) =>
      watch(new Look(wronglySlow, mobile, 0), () => link, { forMs: 2 * MINUTES, random }),
    );
    expect(share(all, 'fast')).toBeGreaterThanOrEqual(0.98);
    const times = all.map(({ verdictMs }) => verdictMs ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    expect(times[0]).toBeGreaterThanOrEqual(10_000);
    expect(times[100]).toBeLessThan(35_000);
  });

  it.each([
    ['a quarter below the threshold', { kbps: 1_480, rttMs: 60, jitterMs: 5 }],
    ['with much jitter', { kbps: 1_400, rttMs: 60, jitterMs: 15, slotMs: 10 }],
    ['far away, with much jitter', { kbps: 1_300, rttMs: 140, jitterMs: 18, slotMs: 10 }],
    ['too far away', { kbps: 50_000, rttMs: 400, jitterMs: 5 }],
  ])('and that is slow, %s, is not taken for a fast one', (_what, link) => {
    const all = many(1_000, (random) =>
      watch(new Look(wronglySlow, mobile, 0), () => link, { forMs: 3 * MINUTES, random }),
    );
    expect(share(all, 'fast')).toBeLessThanOrEqual(0.003);
  });

  it('leaves the fast pool if it is slow', () => {
    const all = many(200, (random) =>
      watch(new Look(wronglyFast, desktop, 0), () => narrow, { forMs: 2 * MINUTES, random }),
    );
    expect(share(all, 'slow')).toBeGreaterThanOrEqual(0.99);
  });

  it('leaves the fast pool without padding if it is too far away', () => {
    const far = { kbps: 50_000, rttMs: 400, jitterMs: 5 };
    const [one] = many(1, (random) =>
      watch(new Look(found('fast', 'medium'), desktop, 0), () => far, { forMs: MINUTES, random }),
    );
    expect(one).toMatchObject({ verdict: 'slow', padBytes: 0 });
  });
});

describe('a client in the right pool', () => {
  it.each([
    ['slow', found('slow', 'high', 1_000), mobile, narrow],
    ['fast', found('fast', 'high', 12_000), desktop, lte],
    ['fast, and the router was not certain', found('fast', 'low', 2_200), desktop, lte],
    ['very slow', found('slow', 'high', 80), mobile, { kbps: 80, rttMs: 60, jitterMs: 20 }],
  ])('stays there: %s', (_what, finding, limits, link) => {
    const all = many(200, (random) =>
      watch(new Look(finding, limits, 0), () => link, { forMs: 3 * MINUTES, random }),
    );
    expect(all.filter(({ verdict }) => verdict !== undefined)).toEqual([]);
    const mean = all.reduce((sum, { padBytes }) => sum + padBytes, 0) / all.length;
    expect(mean).toBeLessThan(35_000);
  });

  it('is confirmed by two segments where there is little noise', () => {
    const link = { kbps: 12_000, rttMs: 40, jitterMs: 1 };
    const [one] = many(1, (random) =>
      watch(new Look(found('fast', 'high', 12_000), desktop, 0), () => link, { forMs: 3 * MINUTES, random }),
    );
    expect(one?.results.map(({ is }) => is)).toEqual(['fast', 'fast']);
    expect(one?.padBytes).toBeLessThan(4_000);
  });

  it('gets no large trains if it is very slow', () => {
    const link = { kbps: 80, rttMs: 60, jitterMs: 20 };
    const [one] = many(1, (random) =>
      watch(new Look(found('slow', 'high', 80), mobile, 0), () => link, { forMs: 3 * MINUTES, random }),
    );
    expect(one?.padBytes).toBeLessThan(12_000);
    expect(one?.results.length).toBeGreaterThan(0);
  });

  it('is measured on a quiet line too', () => {
    const [one] = many(1, (random) =>
      watch(new Look(found('fast', 'low', 2_200), desktop, 0), () => lte, {
        forMs: MINUTES,
        everyMs: 15_000,
        random,
      }),
    );
    expect(one?.results.map(({ is }) => is)).toEqual(['fast']);
  });
});

describe('a network that changes', () => {
  const changing =
    (atMs: number, before: NoisyLink, after: NoisyLink, backMs = Number.POSITIVE_INFINITY) =>
    (nowMs: number): NoisyLink =>
      nowMs < atMs || nowMs >= backMs ? before : after;

  it.each([
    ['up', found('slow', 'high', 1_000), mobile, narrow, lte, 'fast'],
    ['down', found('fast', 'high', 12_000), desktop, lte, narrow, 'slow'],
    ['from a very slow one', found('slow', 'high', 80), mobile, { kbps: 80, rttMs: 60 }, lte, 'fast'],
  ] as const)(
    'for good moves the client within two minutes: %s',
    (_how, finding, limits, before, after, to) => {
      const all = many(100, (random) => {
        const atMs = 60_000 + random() * 75_000;
        const seen = watch(new Look(finding, limits, 0), changing(atMs, before, after), {
          forMs: atMs + 2 * MINUTES,
          random,
        });
        return seen.verdictMs !== undefined && seen.verdictMs < atMs ? { ...seen, verdict: undefined } : seen;
      });
      expect(share(all, to)).toBeGreaterThanOrEqual(0.97);
    },
  );

  it.each([
    ['down', found('fast', 'high', 3_000), desktop, { kbps: 3_000, rttMs: 60, jitterMs: 5 }, narrow],
    ['up', found('slow', 'high', 1_000), mobile, narrow, lte],
  ])('for 20 s moves no client: %s', (_how, finding, limits, before, during) => {
    const all = many(300, (random) => {
      const atMs = 50_000 + random() * 100_000;
      return watch(new Look(finding, limits, 0), changing(atMs, before, during, atMs + 20_000), {
        forMs: atMs + MINUTES,
        random,
      });
    });
    expect(all.filter(({ verdict }) => verdict !== undefined).length).toBeLessThanOrEqual(1);
  });
});

describe('clients on random links', () => {
  /** As `bench:routing` draws them. Half the links lose segments; half of these have a sender with a small window then. */
  const draw = (random: () => number): NoisyLink => {
    const near = random() < 0.25;
    const nearKbps = random() < 0.5 ? 1_000 + 450 * random() : 2_600 + 2_400 * random();
    const kbps = near ? nearKbps : 40 * 2_500 ** random();
    const rttMs = (20 + 200 * random()) * (kbps < 300 ? 3 : 1);
    const loss = random() < 0.5 ? 0.001 + 0.019 * random() : 0;
    const window =
      loss > 0.004 && random() < 0.5 ? Math.max(2, Math.round(0.35 / Math.sqrt(loss))) : undefined;
    return {
      ...{ kbps, rttMs, loss, jitterMs: 0.15 * random() * rttMs },
      slotMs: random() < 0.5 ? 1 + 9 * random() : 0,
      ...(window === undefined ? {} : { window }),
    };
  };
  const classOf = ({ kbps, rttMs }: NoisyLink): Finding['class'] =>
    kbps >= 2_000 && rttMs < 270 ? 'fast' : 'slow';
  const apart = ({ kbps }: NoisyLink): number => Math.abs(Math.log2(kbps / 2_000));
  const visit = (link: NoisyLink, finding: Finding, random: () => number): Looked => {
    const limits = finding.class === 'fast' ? desktop : mobile;
    return watch(new Look({ ...finding, rttMs: link.rttMs }, limits, 0), () => link, {
      forMs: 3 * MINUTES,
      random,
    });
  };

  it('get little padding in their pool, and stay there unless losses keep the window small', () => {
    const random = seeded(15);
    const links = Array.from({ length: 1_000 }, () => draw(random));
    const all = links.map((link) => {
      const confidence = apart(link) > 0.67 ? 'high' : apart(link) > 0.33 ? 'medium' : 'low';
      return { link, looked: visit(link, found(classOf(link), confidence, link.kbps), random) };
    });
    const moved = all.filter(({ looked }) => looked.verdict !== undefined);
    expect(moved.filter(({ link }) => link.window === undefined && apart(link) > 0.42)).toEqual([]);
    const bytes = all.reduce((sum, { looked }) => sum + looked.padBytes, 0);
    expect(bytes / all.length).toBeLessThan(33_000);
  });

  it('are found in the wrong pool within two minutes, unless losses keep the window small', () => {
    const random = seeded(16);
    const links = Array.from({ length: 3_000 }, () => draw(random)).filter(
      (link) => link.window === undefined && apart(link) > 0.42 && apart(link) < 1,
    );
    const all = links.map((link) => {
      const wrong = classOf(link) === 'fast' ? 'slow' : 'fast';
      return visit(link, found(wrong, 'low', wrong === 'fast' ? 2_400 : 1_600), random);
    });
    const inTime = all.filter(({ verdictMs = Number.POSITIVE_INFINITY }) => verdictMs <= 2 * MINUTES);
    expect(inTime.length / all.length).toBeGreaterThan(0.87);
  });
});

describe('the padding of a look', () => {
  it('is at most three trains, 10 s apart, until the next look', () => {
    const limits = { ...mobile, everyMs: 1e9 };
    const unclear = { kbps: 2_000, rttMs: 140, jitterMs: 30, slotMs: 10 };
    for (const { trainsMs, padBytes } of many(50, (random) =>
      watch(new Look(wronglySlow, limits, 0), () => unclear, { forMs: 5 * MINUTES, random }),
    )) {
      expect(trainsMs.length).toBeLessThanOrEqual(3);
      expect(padBytes).toBeLessThanOrEqual(3 * 40_000);
      for (const [i, atMs] of trainsMs.entries())
        if (i > 0) expect(atMs - (trainsMs[i - 1] ?? 0)).toBeGreaterThanOrEqual(10_000);
    }
  });

  it('ends after one train if the network suits both pools equally', () => {
    const between = { kbps: 1_800, rttMs: 60, jitterMs: 2 };
    for (const { results, trainsMs } of many(20, (random) =>
      watch(new Look(wronglySlow, mobile, 0), () => between, { forMs: MINUTES, random }),
    )) {
      expect(results.length).toBe(1);
      expect(trainsMs.length).toBe(1);
    }
  });

  it('is sent less often after looks without a result', () => {
    const unclear = { kbps: 2_000, rttMs: 140, jitterMs: 30, slotMs: 10 };
    const lookedAt = many(50, (random) =>
      watch(new Look(wronglySlow, mobile, 0), () => unclear, { forMs: 12 * MINUTES, random }),
    );
    // At 10, 85, 235 and 535 s: the fifth would be after eleven minutes at the earliest.
    const unsure = lookedAt.filter(({ results }) => results.every(({ is }) => is === 'unsure'));
    expect(unsure.length).toBeGreaterThan(0);
    for (const { results } of unsure) expect(results.length).toBe(4);
  });

  it('is never the small train alone before a promotion', () => {
    const look = new Look(found('slow', 'high', 1_000), mobile, 0);
    const pong = { isTrain: false, provenBytes: 14, provenMs: 1_000, isLast: true };
    let nowMs = 0;
    for (; look.next(nowMs) !== 's'; nowMs += 1_000) look.heard({ ...pong, lagMs: 60, nowMs });
    look.sent('s', nowMs);
    look.heard({ ...pong, isTrain: true, lagMs: 60.1, nowMs: nowMs + 60 });
    expect(look.next(nowMs + 60)).toBe('A');
  });

  it('ends if the client answers only the newest ping', () => {
    const look = new Look(wronglySlow, mobile, 0);
    const pong = { lagMs: 60, isTrain: false, provenBytes: 100, provenMs: 1_000, isLast: true };
    for (let nowMs = 1_000; nowMs <= 200_000; nowMs += 1_000) {
      look.heard({ ...pong, nowMs });
      const step = look.next(nowMs);
      if (step !== undefined) look.sent(step, nowMs);
    }
    expect(look.verdict).toBeUndefined();
    expect(look.takeResult()).toBe('unsure');
  });

  it('has at most three trains, whatever a client answers, and when', () => {
    const answer = fc.record({
      afterMs: fc.integer({ min: 0, max: 3_000 }),
      lateMs: fc.oneof(
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        fc.double({ min: 1, max: 900, noNaN: true }),
      ),
      provenBytes: fc.constantFrom(14, 700, 20_000),
      // Of a train: its own ping, or one behind it.
      skips: fc.boolean(),
      isLast: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(answer, { minLength: 200, maxLength: 400 }),
        fc.constantFrom(0, 350),
        fc.constantFrom(mobile, desktop, { ...mobile, demotes: true }),
        fc.constantFrom(wronglySlow, wronglyFast, found('slow', 'high', 80), found('fast', 'high', 12_000)),
        (answers, distanceMs, limits, finding) => {
          const look = new Look(finding, limits, 0);
          let nowMs = 0;
          let trains = 0;
          let out: LookStep | undefined;
          for (const { afterMs, lateMs, provenBytes, skips, isLast } of answers) {
            const lagMs = distanceMs + lateMs;
            nowMs += afterMs + lagMs;
            const isTrain: boolean = out !== undefined && out !== 'ping' && !skips;
            look.heard({ lagMs, isTrain, provenBytes, provenMs: lagMs, isLast: isTrain || isLast, nowMs });
            // What follows a train at once belongs to it.
            const follows = isTrain;
            const next = look.next(nowMs);
            if (next === undefined) {
              if (isTrain || isLast) out = undefined;
              continue;
            }
            out = next;
            look.sent(next, nowMs);
            if (next !== 'ping' && !follows) trains++;
          }
          expect(trains).toBeLessThanOrEqual(3 * Math.ceil(nowMs / limits.everyMs));
        },
      ),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('is bounded by the bytes of the thread', () => {
    const budget = new LookBudget(10_000, 0);
    expect(budget.take(10_000, 0)).toBe(true);
    expect(budget.take(1, 0)).toBe(false);
    expect(budget.take(5_000, 500)).toBe(true);
    // A train larger than the bytes of a second waits until it has earned them.
    expect(budget.take(20_000, 1_500)).toBe(false);
    expect(budget.take(20_000, 2_600)).toBe(true);
  });
});

it('contains the reason of a move', () => {
  const look = new Look(wronglySlow, mobile, 0);
  watch(look, () => lte, { forMs: MINUTES, random: seeded(1) });
  expect(look.verdict).toBe('fast');
  expect(look.finding).toMatchObject({ class: 'fast', confidence: 'high', thresholds });
  expect(look.finding.kbps).toBeGreaterThan(2_000);
  expect(look.inWords).toMatch(/^\d+ of 270 ms, noise [\d.]+ ms, \d+ of 2000 kbit\/s, trains( \w \d+ ms)+$/);
});

it('leaves the confirmation of a slow rate to the router', () => {
  const look = new Look(wronglyFast, desktop, 0);
  watch(look, () => narrow, { forMs: MINUTES, random: seeded(1) });
  expect(look.finding).toMatchObject({ class: 'slow', confidence: 'medium' });
});
