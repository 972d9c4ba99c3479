// The later lines of the rule in docs/probe.md, on steps written down by hand: what a second train tells, and the rule as a whole.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { after, at, decided, ping, rule, type Told, train } from '../fakes/told-steps.ts';
import { decide } from './decision.ts';
import type { Step } from './evidence.ts';

describe('line 6: the second train', () => {
  it('s where A was very slow', () =>
    expect(
      after([
        ['lone', 40],
        ['A', at(250, 40, 'A')],
      ]),
    ).toEqual(train('s')));
  it('R below the threshold', () =>
    expect(
      after([
        ['lone', 40],
        ['A', at(1500, 40, 'A')],
      ]),
    ).toEqual(train('R')));
  it('a ping above it, then Z where the two do not agree', () => {
    const above: readonly Told[] = [
      ['lone', 60],
      ['A', at(2500, 60, 'A')],
    ];
    expect(after(above)).toEqual(ping);
    expect(after([...above, ['lone', 69]])).toEqual(train('Z'));
  });
  it('no Z from 110 ms on', () =>
    expect(
      after([
        ['lone', 150],
        ['A', at(2500, 150, 'A')],
      ]),
    ).toEqual(ping));
  it('none without time for it', () => {
    const wait: Step = { kind: 'lone', padBytes: 0, sentMs: 1000, pongMs: 1150 };
    const a: Step = { kind: 'A', padBytes: 10_922, sentMs: 1150, pongMs: 1360 };
    expect(decide([wait, a], 1360, rule)).toEqual(decided('slow', 9));
  });
});

describe('lines 7 and 8: A and R', () => {
  it('both below and in agreement: slow', () =>
    expect(
      after([
        ['lone', 40],
        ['A', at(1400, 40, 'A')],
        ['R', at(1300, 40, 'R')],
      ]),
    ).toEqual(decided('slow', 7)));
  it('not in agreement: E', () =>
    expect(
      after([
        ['lone', 40],
        ['A', at(1000, 40, 'A')],
        ['R', at(1500, 40, 'R')],
      ]),
    ).toEqual(train('E')));
  it('E only once', () =>
    expect(
      after([
        ['lone', 40],
        ['A', at(1000, 40, 'A')],
        ['R', at(1300, 40, 'R')],
        ['E', at(1250, 40, 'E')],
      ]),
    ).toEqual(decided('slow', 9)));
});

describe('line 9: near the threshold', () => {
  const pair: readonly Told[] = [
    ['lone', 60],
    ['A', at(2200, 60, 'A')],
    ['Z', at(2200, 60, 'Z')],
  ];
  it('asks for four confirmations, the warm-up among them', () => {
    expect(after([...pair, ['lone', 61], ['lone', 61]])).toEqual(ping);
    expect(after([...pair, ['lone', 61], ['lone', 61], ['lone', 61]])).toEqual(decided('fast', 9));
  });
  it('asks for two where the long train is 20 % above', () => {
    const clear: readonly Told[] = [
      ['lone', 60],
      ['A', at(2300, 60, 'A')],
      ['Z', at(2600, 60, 'Z')],
    ];
    expect(after(clear)).toEqual(ping);
    expect(after([...clear, ['lone', 75]])).toEqual(decided('fast', 9));
  });
  it('does not take the short train for the long one', () =>
    expect(
      after([
        ['lone', 60],
        ['A', at(2600, 60, 'A')],
        ['Z', at(2300, 60, 'Z')],
        ['lone', 75],
      ]),
    ).toEqual(ping));
  it('asks for two where everything is 20 % below', () => {
    const below: readonly Told[] = [
      ['lone', 60],
      ['A', at(1100, 60, 'A')],
      ['R', at(1550, 60, 'R')],
      ['E', at(1550, 60, 'E')],
    ];
    expect(after(below)).toEqual(ping);
    expect(after([...below, ['lone', 61]])).toEqual(decided('slow', 9));
  });
  it('a cold warm-up is none', () =>
    expect(after([['lone', 100], ...pair.slice(1), ['lone', 60], ['lone', 61], ['lone', 61]])).toEqual(ping));
  it('confirms below the threshold too, and is slow', () => {
    const below: readonly Told[] = [
      ['lone', 60],
      ['A', at(1900, 60, 'A')],
      ['R', at(1900, 60, 'R')],
      ['E', at(1900, 60, 'E')],
    ];
    expect(after(below)).toEqual(ping);
    expect(after([...below, ['lone', 60], ['lone', 60], ['lone', 60]])).toMatchObject({
      class: 'slow',
      line: 9,
    });
  });
  it('is fast without four only when quiet and 10 % above', () => {
    const late = (kbps: number): readonly Told[] => [
      ['lone', 100],
      ['A', at(kbps, 100, 'A')],
      ['lone', 100],
    ];
    expect(after(late(2300), 1140)).toMatchObject({ class: 'fast', line: 9, confidence: 'low' });
    expect(after(late(2150), 1140)).toMatchObject({ class: 'slow', line: 9, confidence: 'low' });
  });
});

describe('the rule as a whole', () => {
  const anyStep: fc.Arbitrary<Told> = fc.tuple(
    fc.constantFrom('lone', 'A', 'R', 'Z', 'E', 's'),
    fc.option(fc.double({ min: 0, max: 1600, noNaN: true }), { nil: undefined }),
  );
  it('answers to any history, and never waits past the deadline', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 14 }), fc.nat(1600), (told, laterMs) => {
        const act = after(told, laterMs);
        if (act.act === 'wait') expect(act.untilMs).toBeLessThanOrEqual(1500);
        if (act.act === 'decide') expect(act.kbps ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
  it('after the deadline is slow whatever came', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 14 }), (told) => {
        expect(after(told, 1500)).toMatchObject({ class: 'slow' });
      }),
    );
  });
  it('needs an answered train to be fast', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1600, noNaN: true }), { maxLength: 8 }), (times) => {
        const act = after(times.map((tookMs): Told => ['lone', tookMs]));
        expect(act).not.toMatchObject({ class: 'fast' });
      }),
    );
  });
});
