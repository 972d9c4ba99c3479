import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CatchUpAnswer, Cursor } from '../../port/catch-up.ts';
import type { DeliveryState } from './delivery.ts';
import { Delivery } from './delivery.ts';

const LIMITS = { softBytes: 100, hardBytes: 200, windowBytes: 1_000, lagMs: 1_000 };
const CHANNELS = ['a', 'b'];
const AT = { channels: CHANNELS, heads: { stateSeq: 50, criticalSeq: 70 } };
const BATCH = { fromStateSeq: 40, fromCriticalSeq: 60 };

function cursor(channel: string, stateSeq: number, criticalSeq: number): Cursor {
  return { channel, stateSeq, snapshot: false, snapshotSeq: 0, half: false, criticalSeq };
}

function answer(of: Partial<CatchUpAnswer>): CatchUpAnswer {
  const cursors = of.live === true ? [] : CHANNELS.map((channel) => cursor(channel, 50, 70));
  return { bytes: new Uint8Array(), cursors, criticalLive: of.live === true, live: false, ...of };
}

function subscribed(delivery: Delivery, last?: number): void {
  delivery.subscribe(['c'], { ...AT, isAgain: () => false, last });
}

const EVENTS = {
  'caughtUp with everything': (d: Delivery) => d.caughtUp(answer({ live: true }), 5),
  'caughtUp with critical': (d: Delivery) => d.caughtUp(answer({ criticalLive: true }), 5),
  'caughtUp with less': (d: Delivery) => d.caughtUp(answer({}), 5),
  holdState: (d: Delivery) => d.holdState(BATCH, CHANNELS, 5),
  holdCritical: (d: Delivery) => d.holdCritical(BATCH),
  subscribe: (d: Delivery) => subscribed(d),
  'subscribe for the last': (d: Delivery) => subscribed(d, 7),
  'restart of state': (d: Delivery) => d.restart({ state: true, criticalSinceSeq: undefined }, AT),
  'restart of critical': (d: Delivery) => d.restart({ state: false, criticalSinceSeq: 9 }, AT),
  close: (d: Delivery) => void d.close(),
  leave: (d: Delivery) => void d.leave(),
} as const;
type Event = keyof typeof EVENTS;

/** A new client, brought to a state by events. */
function deliveryIn(state: DeliveryState): Delivery {
  const delivery = new Delivery(
    CHANNELS.map((channel) => ({
      channel,
      stateSeq: 5,
      snapshot: false,
      criticalSeq: 7,
      gap: undefined,
    })),
    false,
  );
  const ways: Readonly<Record<DeliveryState, readonly Event[]>> = {
    joining: [],
    live: ['caughtUp with everything'],
    stateHeld: ['caughtUp with critical'],
    held: ['caughtUp with critical', 'holdCritical'],
    closing: ['close'],
    gone: ['leave'],
  };
  for (const event of ways[state]) EVENTS[event](delivery);
  expect(delivery.state).toBe(state);
  return delivery;
}

const BEGIN = ['joining', 'live', 'stateHeld', 'held', 'closing', 'gone'] as const;
/** The state after an event, by the state before it; `-` where the event cannot come. */
const TABLE: Readonly<Record<Event, string>> = {
  'caughtUp with everything': 'live      -         live      live  closing gone',
  'caughtUp with critical': '  stateHeld -         stateHeld stateHeld closing gone',
  'caughtUp with less': '      joining   -         stateHeld held  closing gone',
  holdState: '               joining   stateHeld stateHeld held  closing gone',
  holdCritical: '            joining   live      held      held  closing gone',
  subscribe: '               joining   joining   joining   held  closing gone',
  'subscribe for the last': '  joining   joining   joining   held  closing gone',
  'restart of state': '        joining   stateHeld stateHeld held  closing gone',
  'restart of critical': '     joining   joining   joining   held  closing gone',
  close: '                   closing   closing   closing   closing closing gone',
  leave: '                   gone      gone      gone      gone  gone    gone',
};
const ROWS = Object.keys(TABLE)
  .flatMap((event) => {
    const after = TABLE[event as Event].trim().split(/\s+/);
    return BEGIN.map((before, i) => [before, event as Event, after[i]] as const);
  })
  .filter(([, , after]) => after !== '-');

describe('Delivery, state by state', () => {
  it.each(ROWS)('%s, then %s: %s', (before, event, after) => {
    const delivery = deliveryIn(before);
    EVENTS[event](delivery);
    expect(delivery.state).toBe(after);
  });
});

describe('Delivery', () => {
  it('begins with the missing channels, and can request them at once', () => {
    const delivery = deliveryIn('joining');
    expect(delivery.cursors).toEqual(CHANNELS.map((channel) => cursor(channel, 5, 7)));
    expect([delivery.mayAsk, delivery.criticalLive, delivery.liveSinceMs]).toEqual([true, false, Infinity]);
  });

  it('requests one piece at a time, and none if nothing is missing', () => {
    const delivery = deliveryIn('joining');
    delivery.asked(3);
    expect(delivery.mayAsk).toBe(false);
    expect([delivery.answered(2), delivery.answered(3), delivery.answered(3)]).toEqual([false, true, false]);
    expect(delivery.mayAsk).toBe(true);
    EVENTS['caughtUp with everything'](delivery);
    expect([delivery.mayAsk, delivery.liveSinceMs]).toEqual([false, 5]);
  });

  it.each(['subscribe', 'restart of state', 'restart of critical', 'holdCritical', 'leave'] as const)(
    'drops the answer that is under way at %s',
    (event) => {
      const delivery = deliveryIn('stateHeld');
      delivery.asked(3);
      EVENTS[event](delivery);
      expect(delivery.answered(3)).toBe(false);
    },
  );

  it('stays before a batch that does not fit', () => {
    const delivery = deliveryIn('live');
    delivery.holdState(BATCH, CHANNELS, 9);
    expect(delivery.cursors.map(({ stateSeq }) => stateSeq)).toEqual([40, 40]);
    delivery.holdCritical({ fromStateSeq: 41, fromCriticalSeq: 61 });
    expect(delivery.cursors).toEqual(CHANNELS.map((channel) => cursor(channel, 40, 61)));
    expect(delivery.liveSinceMs).toBe(Number.POSITIVE_INFINITY);
  });

  it.each(['joining', 'live', 'stateHeld', 'held'] as const)(
    'asks for the last critical messages of a new channel when %s',
    (state) => {
      const delivery = deliveryIn(state);
      subscribed(delivery, 7);
      expect(delivery.criticalLive).toBe(false);
      expect(delivery.cursors.find(({ channel }) => channel === 'c')?.last).toBe(7);
      EVENTS['restart of state'](delivery);
      expect(delivery.cursors.find(({ channel }) => channel === 'c')?.last).toBe(7);
    },
  );

  it('delays the state of a resumed client until a pong, then until the stream', () => {
    const delivery = new Delivery([], true);
    expect([delivery.waitsFor, delivery.mayAsk]).toEqual(['pong', true]);
    EVENTS['caughtUp with critical'](delivery);
    expect(delivery.mayAsk).toBe(false);
    delivery.ponged(0, false);
    expect([delivery.waitsFor, delivery.mayAsk]).toEqual(['stream', true]);
    delivery.caughtUp(answer({ live: true, reached: true }), 5);
    expect(delivery.waitsFor).toBe('nothing');
  });

  it('ends an incomplete snapshot when the client unsubscribes', () => {
    const delivery = deliveryIn('joining');
    const half = [{ ...cursor('a', 12, 7), snapshot: true, half: true }, cursor('b', 5, 7)];
    delivery.caughtUp(answer({ cursors: half }), 5);
    delivery.unsubscribe(['a', 'b']);
    expect(delivery.cursors).toEqual([]);
    delivery.subscribe(['a', 'b'], {
      ...AT,
      channels: [],
      last: undefined,
      isAgain: (channel) => channel === 'b',
    });
    expect(delivery.cursors.map(({ channel, half, again }) => [channel, half, again])).toEqual([
      ['a', true, false],
      ['b', false, true],
    ]);
  });

  it('evicts a client whose backlog is not proven: sooner if critical messages wait', () => {
    const delivery = deliveryIn('live');
    expect(delivery.judge(100, 0, LIMITS)).toBe('flowing');
    expect(delivery.judge(150, 0, LIMITS)).toBe('congested');
    expect(delivery.judge(210, 999, LIMITS)).toBe('congested');
    const held = deliveryIn('held');
    expect(held.judge(210, 499, LIMITS)).toBe('congested');
    expect(held.judge(210, 500, LIMITS)).toBe('evicted');
    expect(held.judge(0, 0, LIMITS)).toBe('evicted');
  });

  it('waits for a pong since the oldest unanswered ping', () => {
    const delivery = deliveryIn('live');
    expect(delivery.unansweredMs(100)).toBe(0);
    delivery.pinged(100);
    delivery.pinged(150);
    expect(delivery.unansweredMs(200)).toBe(100);
    delivery.ponged(210, true);
    expect(delivery.unansweredMs(230)).toBe(20);
    delivery.ponged(240, false);
    expect(delivery.unansweredMs(500)).toBe(0);
  });
});

/** The main thread and the client of one channel, as simple as they can be: what the client has got, in order. */
class World {
  readonly delivery = new Delivery(
    [{ channel: 'a', stateSeq: 0, snapshot: true, criticalSeq: 0, gap: undefined }],
    false,
  );
  readonly tally = { behind: 0 };
  readonly critical: number[] = [];
  stateSeq = 0;
  #head = { stateSeq: 0, criticalSeq: 0 };
  #batch = 0;
  #ask:
    | { readonly id: number; readonly cursors: readonly Cursor[]; readonly criticalLive: boolean }
    | undefined;
  #askId = 0;

  constructor() {
    this.delivery.join(0, this.tally);
  }

  get head(): { readonly stateSeq: number; readonly criticalSeq: number } {
    return this.#head;
  }

  ask(): void {
    const { delivery } = this;
    if (!delivery.mayAsk) return;
    this.#ask = { id: ++this.#askId, cursors: delivery.cursors, criticalLive: delivery.criticalLive };
    delivery.asked(this.#askId);
  }

  /** Answers as the main thread does at the newest batch; `whole` with everything, else with one critical message. */
  answer(whole: boolean): void {
    const ask = this.#ask;
    this.#ask = undefined;
    if (ask === undefined || !this.delivery.answered(ask.id)) return;
    const { stateSeq, criticalSeq } = this.#head;
    const [at] = ask.cursors;
    if (at === undefined) throw new Error('a client without cursors has asked');
    const toSeq = ask.criticalLive
      ? at.criticalSeq
      : whole
        ? criticalSeq
        : Math.min(at.criticalSeq + 1, criticalSeq);
    if (!ask.criticalLive) for (let seq = at.criticalSeq + 1; seq <= toSeq; seq++) this.critical.push(seq);
    const criticalLive = ask.criticalLive || toSeq === criticalSeq;
    const live = whole && criticalLive;
    if (live) this.#reach(at.stateSeq, stateSeq);
    const cursors = live ? [] : [{ ...at, criticalSeq: toSeq }];
    this.delivery.caughtUp({ bytes: new Uint8Array(), cursors, criticalLive, live }, 0);
  }

  batch({
    state,
    critical,
    room,
  }: {
    state: number;
    critical: number;
    room: 'all' | 'critical' | 'none';
  }): void {
    const { delivery } = this;
    const { stateSeq: fromStateSeq, criticalSeq: fromCriticalSeq } = this.#head;
    this.#head = { stateSeq: fromStateSeq + state, criticalSeq: fromCriticalSeq + critical };
    if (!delivery.take(++this.#batch) || delivery.over) return;
    expect(delivery.take(this.#batch)).toBe(false);
    const from = { fromStateSeq, fromCriticalSeq };
    if (room !== 'all') delivery.holdState(from, ['a'], 0);
    if (room === 'none' && critical > 0) delivery.holdCritical(from);
    if (delivery.state === 'live') this.#reach(fromStateSeq, this.#head.stateSeq);
    if (!delivery.criticalLive) return;
    for (let seq = fromCriticalSeq + 1; seq <= this.#head.criticalSeq; seq++) this.critical.push(seq);
  }

  /** Everything arrives that the client still lacks. */
  settle(): void {
    this.answer(true);
    for (let i = 0; i < 100 && this.delivery.mayAsk; i++) {
      this.ask();
      this.answer(true);
    }
  }

  /** State after `fromSeq` up to `toSeq` reaches the client. */
  #reach(fromSeq: number, toSeq: number): void {
    expect(fromSeq).toBeLessThanOrEqual(this.stateSeq);
    expect(toSeq).toBeGreaterThanOrEqual(this.stateSeq);
    this.stateSeq = toSeq;
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('batch' as const),
    state: fc.nat({ max: 2 }),
    critical: fc.nat({ max: 2 }),
    room: fc.constantFrom('all' as const, 'critical' as const, 'none' as const),
  }),
  fc.record({ do: fc.constant('ask' as const) }),
  fc.record({ do: fc.constant('answer' as const), whole: fc.boolean() }),
  fc.record({ do: fc.constant('restart' as const) }),
);

describe('Delivery, for any sequence of events', () => {
  it('gives its client every critical message once and in order, and finally the whole state', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = new World();
        for (const one of steps) {
          if (one.do === 'batch') world.batch(one);
          if (one.do === 'ask') world.ask();
          if (one.do === 'answer') world.answer(one.whole);
          if (one.do === 'restart') {
            const at = { channels: ['a'], heads: world.head };
            world.delivery.restart({ state: true, criticalSinceSeq: undefined }, at);
          }
        }
        world.settle();
        expect(world.delivery.state).toBe('live');
        expect(world.critical).toEqual(Array.from({ length: world.head.criticalSeq }, (_, i) => i + 1));
        expect(world.stateSeq).toBe(world.head.stateSeq);
      }),
      { numRuns: 300 },
    );
  });

  it('has cursors unless it is live, is counted while it is behind, and never leaves its end', () => {
    const events = Object.keys(EVENTS) as Event[];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), (all) => {
        const tally = { behind: 0 };
        const delivery = new Delivery([], false);
        delivery.join(0, tally);
        for (const event of all) {
          const before = delivery.state;
          const isAnswer = event.startsWith('caughtUp');
          if (isAnswer && !delivery.mayAsk) continue;
          EVENTS[event](delivery);
          const { state, over, mayAsk, criticalLive } = delivery;
          if (before === 'closing') expect(['closing', 'gone']).toContain(state);
          if (before === 'gone') expect(state).toBe('gone');
          if (over) expect([mayAsk, criticalLive]).toEqual([false, false]);
          if (state === 'live') expect(delivery.cursors).toEqual([]);
          expect(tally.behind).toBe(over || state === 'live' ? 0 : 1);
          expect(Number.isFinite(delivery.liveSinceMs)).toBe(state === 'live' || (over && before === 'live'));
          if (over) return;
        }
      }),
      { numRuns: 300 },
    );
  });
});
