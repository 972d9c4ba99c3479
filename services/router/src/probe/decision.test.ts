// The first lines of the rule in docs/probe.md, on steps written down by hand: up to what is clearly fast.

import { describe, expect, it } from 'vitest';
import { after, at, decided, ping, rule, type Told, train } from '../fakes/told-steps.ts';
import { decide } from './decision.ts';
import type { Step } from './evidence.ts';

describe('the first ping', () => {
  it('goes out at once', () => expect(decide([], 0, rule)).toEqual(ping));
  it('is waited for', () => expect(after([['lone', undefined]])).toEqual({ act: 'wait', untilMs: 700 }));
  it('is sent once more after 700 ms', () => expect(after([['lone', undefined]], 700)).toEqual(ping));
  it('is sent no third time', () =>
    expect(
      after(
        [
          ['lone', undefined],
          ['lone', undefined],
        ],
        1400,
      ),
    ).toEqual({ act: 'wait', untilMs: 1500 }));
  it('may stay unanswered where its repeat is answered', () => {
    const lost: Step = { kind: 'lone', padBytes: 0, sentMs: 0 };
    const again: Step = { kind: 'lone', padBytes: 0, sentMs: 700, pongMs: 720 };
    expect(decide([lost, again], 720, rule)).toEqual(train('A'));
  });
  it('that comes after its repeat went out is far away, at once', () => {
    const late: Step = { kind: 'lone', padBytes: 0, sentMs: 0, pongMs: 1300 };
    const again: Step = { kind: 'lone', padBytes: 0, sentMs: 700 };
    expect(decide([late, again], 1300, rule)).toEqual(decided('slow', 2));
  });
});

describe('line 1: the deadline', () => {
  it('ends as slow without any pong', () =>
    expect(after([['lone', undefined]], 1500)).toEqual({
      act: 'decide',
      class: 'slow',
      line: 1,
      confidence: 'low',
    }));
  it('does not report a rate over the threshold that nothing confirmed', () =>
    expect(
      after(
        [
          ['lone', 10],
          ['A', 11],
          ['lone', undefined],
        ],
        1479,
      ),
    ).not.toHaveProperty('kbps'));
});

describe('line 2: RTT over the threshold', () => {
  it('asks once more', () => expect(after([['lone', 300]])).toEqual(ping));
  it('waits 1.25 thresholds for it', () => {
    expect(
      after([
        ['lone', 300],
        ['lone', undefined],
      ]),
    ).toEqual({ act: 'wait', untilMs: 637.5 });
    expect(
      after(
        [
          ['lone', 300],
          ['lone', undefined],
        ],
        338,
      ),
    ).toEqual(decided('slow', 2));
  });
  it('is slow when the second is as far', () =>
    expect(
      after([
        ['lone', 500],
        ['lone', 480],
      ]),
    ).toMatchObject({ class: 'slow', line: 2, confidence: 'high' }));
  it('goes on when the second is near', () =>
    expect(
      after([
        ['lone', 300],
        ['lone', 40],
      ]),
    ).toEqual(train('A')));
});

describe('line 3: slow trains', () => {
  const slowA: Told = ['A', at(400, 40, 'A')];
  it('one does not decide', () => expect(after([['lone', 40], slowA])).toEqual(train('R')));
  it('two that agree do', () =>
    expect(after([['lone', 40], slowA, ['R', at(500, 40, 'R')]])).toEqual(decided('slow', 3)));
  it('two that do not agree do not', () =>
    expect(after([['lone', 40], slowA, ['R', at(900, 40, 'R')]])).toEqual(train('E')));
  it('three do', () =>
    expect(after([['lone', 40], slowA, ['R', at(900, 40, 'R')], ['E', at(900, 40, 'E')]])).toEqual(
      decided('slow', 3),
    ));
  it('a slow s needs no agreement', () =>
    expect(
      after([
        ['lone', 40],
        ['A', at(250, 40, 'A')],
        ['s', at(290, 40, 's')],
      ]),
    ).toEqual(decided('slow', 3)));
  it('an s that is not slow clears those before', () =>
    expect(
      after([
        ['lone', 40],
        ['A', at(250, 40, 'A')],
        ['s', 60],
      ]),
    ).toEqual(train('R')));
  it('gives up a train after 700 ms + 2 RTT', () => {
    expect(
      after([
        ['lone', 40],
        ['A', undefined],
      ]),
    ).toEqual({ act: 'wait', untilMs: 40 + 40 + 780 });
    expect(
      after(
        [
          ['lone', 40],
          ['A', undefined],
        ],
        820,
      ),
    ).toMatchObject({ class: 'slow', line: 3, confidence: 'high' });
  });
  it('gives up sooner after a slow one, once both would agree', () => {
    const scaled = 0.6 * (at(400, 40, 'A') - 40) * (79 / 86);
    const act = after([['lone', 40], slowA, ['R', undefined]]);
    expect(act).toEqual({ act: 'wait', untilMs: expect.closeTo(40 + at(400, 40, 'A') + 40 + scaled, 6) });
  });
  it('gives up an s after a slow one at its own bound', () => {
    const told: readonly Told[] = [
      ['lone', 230],
      ['s', 300],
      ['s', undefined],
    ];
    expect(after(told, 279)).toMatchObject({ act: 'wait' });
    expect(after(told, 281)).toEqual(decided('slow', 3));
  });
});

describe('line 4: the first train', () => {
  it('is A', () => expect(after([['lone', 40]])).toEqual(train('A')));
  it('is s from 220 ms on', () => expect(after([['lone', 230]])).toEqual(train('s')));
  it('is s again after a slow s', () =>
    expect(
      after([
        ['lone', 230],
        ['s', 300],
      ]),
    ).toEqual(train('s')));
  it('is A after an s that was not slow', () =>
    expect(
      after([
        ['lone', 230],
        ['s', 240],
      ]),
    ).toEqual(train('A')));
  it('does not begin too late', () => {
    const late: Step = { kind: 'lone', padBytes: 0, sentMs: 1300, pongMs: 1400 };
    expect(decide([late], 1400, rule)).toEqual(decided('slow', 4));
  });
  it('without pads is two pings, then slow', () => {
    expect(after([['lone', 5]], 0, { padding: false })).toEqual(ping);
    expect(
      after(
        [
          ['lone', 5],
          ['lone', 5],
        ],
        0,
        { padding: false },
      ),
    ).toMatchObject({
      class: 'slow',
      line: 4,
      confidence: 'low',
    });
  });
  it('without room for it likewise', () => expect(after([['lone', 5]], 0, { maxBytes: 9000 })).toEqual(ping));
});

describe('line 5: clearly fast', () => {
  it('without any RTT subtracted: at once', () =>
    expect(
      after([
        ['lone', 8],
        ['A', 10],
      ]),
    ).toMatchObject({ class: 'fast', line: 5, confidence: 'high' }));
  it('otherwise confirms once', () => {
    expect(
      after([
        ['lone', 60],
        ['A', 75],
      ]),
    ).toEqual(ping);
    expect(
      after([
        ['lone', 60],
        ['A', 75],
        ['lone', 62],
      ]),
    ).toEqual(decided('fast', 5));
  });
  it('the long train needs no confirmation where the short one was slower', () => {
    const noisyA: Told = ['A', at(3000, 60, 'A')];
    const noisy: readonly Told[] = [['lone', 60], noisyA, ['lone', 80]];
    expect(after(noisy)).toEqual(train('Z'));
    expect(after([...noisy, ['Z', at(4400, 60, 'Z')]])).toEqual(decided('fast', 5));
    // A late first ping makes A look fast, not slow: then nothing spares the confirmation.
    expect(
      after([
        ['lone', 100],
        ['A', at(3000, 60, 'A')],
      ]),
    ).toEqual(ping);
  });
  it('a deaf client does not pass: the confirmation shows the real RTT', () => {
    // Answered the ping at 90, and A as soon as it came; 1.2 Mbit/s at 20 ms.
    expect(
      after([
        ['lone', 93],
        ['A', 93],
      ]),
    ).toEqual(ping);
    expect(
      after([
        ['lone', 93],
        ['A', 93],
        ['lone', 20],
      ]),
    ).not.toEqual(decided('fast', 5));
  });
  it('a confirmation that took much longer than the train does not count', () =>
    expect(
      after([
        ['lone', 60],
        ['A', 75],
        ['lone', 116],
      ]),
    ).toEqual(ping));
  it('below two thresholds two pings that agree are enough', () => {
    const between: readonly Told[] = [
      ['lone', 60],
      ['A', at(2800, 60, 'A')],
    ];
    expect(after([...between, ['lone', 62]])).toMatchObject({ class: 'fast', line: 5, confidence: 'medium' });
    // Their difference counts as if the RTT were smaller by it.
    expect(after([...between, ['lone', 63]])).toEqual(decided('fast', 5));
    expect(after([...between, ['lone', 64]])).toEqual(train('Z'));
  });
  it('a cold first ping does not agree: a third is asked for', () => {
    const cold: readonly Told[] = [
      ['lone', 120],
      ['A', at(2800, 60, 'A')],
      ['lone', 61],
    ];
    expect(after(cold)).toEqual(ping);
    expect(after([...cold, ['lone', 60]])).toEqual(decided('fast', 5));
    expect(after([...cold, ['lone', 75]])).toEqual(train('Z'));
  });
  it('two pings do not outweigh a first train below the threshold', () =>
    expect(
      after([
        ['lone', 60],
        ['A', at(1300, 60, 'A')],
        ['R', at(3000, 60, 'R')],
        ['lone', 60],
      ]),
    ).toEqual(train('E')));
  it('gives up after six', () => {
    const six = Array.from({ length: 6 }, (): Told => ['lone', 120]);
    expect(after([['lone', 60], ['A', 75], ...six])).toMatchObject({
      class: 'slow',
      line: 5,
      confidence: 'low',
    });
  });
});
