import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sequencer } from './sequencer.ts';

interface Message {
  readonly seq: number;
}

function setUp(maxWaiting = 100): {
  sequencer: Sequencer<Message>;
  delivered: number[];
  live: (...seqs: number[]) => string[];
} {
  const delivered: number[] = [];
  const sequencer = new Sequencer<Message>({ maxWaiting }, ({ seq }) => delivered.push(seq));
  return { sequencer, delivered, live: (...seqs) => seqs.map((seq) => sequencer.live({ seq })) };
}

describe('where each message counts', () => {
  const setUpCounting = (): { sequencer: Sequencer<Message>; told: string[] } => {
    const told: string[] = [];
    const sequencer: Sequencer<Message> = new Sequencer<Message>(
      { maxWaiting: 100 },
      ({ seq }) => told.push(`${seq}`),
      (upToSeq) => told.push(`${sequencer.seq}..${upToSeq}`),
    );
    return { sequencer, told };
  };

  it('a hole is told before what comes behind it, also at the end', () => {
    const { sequencer, told } = setUpCounting();
    sequencer.live({ seq: 1 });
    for (const seq of [2, 6, 7]) sequencer.fill({ seq });
    sequencer.filledTo(9);
    expect([told, sequencer.seq]).toEqual([['1', '2', '2..5', '6', '7', '7..9'], 9]);
  });

  it('what the feed has shown is not lost, though the stream has it no more', () => {
    const { sequencer, told } = setUpCounting();
    for (const seq of [1, 3, 4, 7, 9]) sequencer.live({ seq });
    sequencer.fill({ seq: 7 });
    sequencer.filledTo(8);
    expect(told).toEqual(['1', '1..2', '3', '4', '4..6', '7', '7..8', '9']);
  });

  it('what the feed shows after a doubt may be of another history: it does not fill a hole', () => {
    const { sequencer, told } = setUpCounting();
    sequencer.live({ seq: 1 });
    const { doubts } = sequencer;
    sequencer.doubt();
    for (const seq of [2, 5]) sequencer.live({ seq });
    sequencer.fill({ seq: 3 });
    sequencer.filledTo(5, doubts);
    expect(told).toEqual(['1', '1..2', '3', '3..5']);
  });
});

describe('the live feed', () => {
  it('passes at once if no message is missing', () => {
    const { sequencer, delivered, live } = setUp();
    sequencer.startAt(7);
    expect(live(8, 9, 10)).toEqual(['inOrder', 'inOrder', 'inOrder']);
    expect([delivered, sequencer.seq, sequencer.missing]).toEqual([[8, 9, 10], 10, false]);
  });

  it('waits behind a gap until the fill has closed it', () => {
    const { sequencer, delivered, live } = setUp();
    expect(live(1, 4, 5)).toEqual(['inOrder', 'gap', 'gap']);
    expect([delivered, sequencer.missing]).toEqual([[1], true]);
    sequencer.fill({ seq: 2 });
    expect(delivered).toEqual([1, 2]);
    sequencer.fill({ seq: 3 });
    expect([delivered, sequencer.missing]).toEqual([[1, 2, 3, 4, 5], false]);
    expect(live(6)).toEqual(['inOrder']);
  });

  it('does not wait for messages that no longer exist', () => {
    const { sequencer, delivered, live } = setUp();
    live(1, 9);
    sequencer.fill({ seq: 5 });
    sequencer.filledTo(8);
    expect([delivered, sequencer.missing]).toEqual([[1, 5, 9], false]);
  });

  it('reports a sequence that goes back, and stops until the stream is checked', () => {
    const { sequencer, delivered, live } = setUp();
    sequencer.startAt(3);
    // The stream was made anew and has already passed the place where the old one was.
    expect(live(4, 1, 2, 3, 4, 5)).toEqual([
      'inOrder',
      'backwards',
      'backwards',
      'backwards',
      'backwards',
      'waits',
    ]);
    expect(delivered).toEqual([4]);
    sequencer.startAt(0);
    for (const seq of [1, 2, 3, 4, 5]) sequencer.fill({ seq });
    expect(delivered).toEqual([4, 1, 2, 3, 4, 5]);
  });

  it('continues after a false alarm', () => {
    const { sequencer, delivered, live } = setUp();
    expect(live(1, 1, 2, 3)).toEqual(['inOrder', 'backwards', 'waits', 'waits']);
    sequencer.filledTo(1);
    expect([live(4), delivered, sequencer.missing]).toEqual([['inOrder'], [1, 2, 3, 4], false]);
  });

  it('keeps a limited number of waiting messages, the newest ones', () => {
    const { sequencer, delivered, live } = setUp(3);
    live(1, 10, 11, 12, 13, 14);
    sequencer.filledTo(11);
    expect([delivered, sequencer.missing]).toEqual([[1, 12, 13, 14], false]);
  });

  it('does not wait for messages that the stream does not have', () => {
    const { sequencer, delivered, live } = setUp();
    expect(live(1, 999, 2)).toEqual(['inOrder', 'gap', 'backwards']);
    sequencer.disbelieve(999, 2);
    sequencer.fill({ seq: 2 });
    sequencer.filledTo(2);
    expect([delivered, sequencer.missing]).toEqual([[1, 2], false]);
    expect(live(3, 4)).toEqual(['inOrder', 'inOrder']);
  });

  it('accepts messages that arrived after the request to the stream', () => {
    const { sequencer, delivered, live } = setUp();
    live(1, 5);
    const shown = sequencer.liveSeq;
    live(6);
    sequencer.disbelieve(shown, 4);
    sequencer.filledTo(5);
    expect(delivered).toEqual([1, 6]);
  });
});

describe('a fill', () => {
  it('ignores delivered messages', () => {
    const { sequencer, delivered, live } = setUp();
    live(1, 2, 3);
    for (const seq of [1, 2, 3, 4]) sequencer.fill({ seq });
    sequencer.filledTo(2);
    expect([delivered, sequencer.seq]).toEqual([[1, 2, 3, 4], 4]);
  });
});

describe('any loss of messages', () => {
  it('leaves every existing message delivered once, in order', () => {
    // Per message of the stream: whether it still exists when a fill comes, whether the feed shows it, and
    // whether a fill runs after it.
    const message = fc.record({
      exists: fc.boolean(),
      shown: fc.boolean(),
      fills: fc.boolean(),
      again: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 60 }),
        fc.integer({ min: 1, max: 10 }),
        (all, maxWaiting) => {
          const { sequencer, delivered, live } = setUp(maxWaiting);
          const fill = (upTo: number): void => {
            for (let seq = sequencer.seq + 1; seq <= upTo; seq++) {
              if (all[seq - 1]?.exists === true) sequencer.fill({ seq });
            }
            sequencer.filledTo(upTo);
          };
          all.forEach(({ shown, fills, again }, i) => {
            if (shown) live(i + 1);
            if (again) live(i + 1);
            if (fills) fill(i + 1);
          });
          fill(all.length);
          expect(sequencer.missing).toBe(false);
          expect(delivered).toEqual([...new Set(delivered)].sort((a, b) => a - b));
          const whole = all.flatMap(({ exists }, i) => (exists ? [i + 1] : []));
          expect(delivered).toEqual(expect.arrayContaining(whole));
        },
      ),
      { numRuns: 500 },
    );
  });
});
