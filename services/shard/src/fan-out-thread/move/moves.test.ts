import type { Hint } from '@weir/protocol';
import type { FrameGate } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { ModelClient } from '../../fakes/two-threads.ts';
import { Connection } from '../connection/connection.ts';
import { Look } from '../reassign/look.ts';
import { Standing } from '../reassign/standing.ts';
import { Moves } from './moves.ts';

const STAY_MS = 60_000;
const EVERYTHING = { bytes: new Uint8Array(), cursors: [], criticalLive: true, live: true };

interface Told {
  readonly who: string;
  readonly atMs: number;
  readonly url: string;
  readonly withinMs: number;
  readonly reason: string;
}

class Bench {
  readonly clock = { nowMs: 1_000_000 };
  readonly here = new Set<Connection>();
  readonly told: Told[] = [];
  readonly hints: Hint[] = [];
  draining = false;
  readonly #wakes: { readonly atMs: number; readonly wake: () => void }[] = [];
  readonly moves = new Moves({
    config: {
      pool: 'desktop',
      shardId: 's1',
      routerUrl: 'ws://router',
      minStayMs: STAY_MS,
      drainWindowMs: 100,
      drainWithinMs: 100,
    },
    clock: { monotonicMs: () => this.clock.nowMs, wallMs: () => this.clock.nowMs },
    random: () => 0.5,
    signHint: async (hint) => {
      this.hints.push(hint);
      return `hint-${hint.id}`;
    },
    sleep: (ms) =>
      new Promise((wake) => {
        this.#wakes.push({ atMs: this.clock.nowMs + ms, wake });
      }),
    draining: () => this.draining,
    connections: () => this.here,
    channelsOf: () => ['lobby'],
    say: (connection, messages) => {
      for (const message of messages)
        if (message.type === 'move')
          this.told.push({ who: connection.session, atMs: this.clock.nowMs, ...message });
    },
    close: (connection) => this.here.delete(connection),
    count: () => undefined,
  });

  client(session: string, stayedMs = STAY_MS): Connection {
    const connection = new Connection({
      session,
      socket: new ModelClient(),
      ws: {} as WebSocket,
      gate: {} as FrameGate,
      compressed: false,
      ticket: { id: session, pool: 'desktop', channels: ['lobby'], allow: ['>'], denied: [], tls: false },
      starts: [],
      nowMs: this.clock.nowMs - stayedMs,
    });
    connection.delivery.caughtUp(EVERYTHING, 0);
    connection.standing = new Standing({
      history: undefined,
      mayRise: true,
      nowMs: this.clock.nowMs - stayedMs,
    });
    this.here.add(connection);
    return connection;
  }

  crowd(count: number): void {
    for (let i = 0; i < count; i++) this.client(`c${i}`);
  }

  /** Time passes, and whoever waits for it goes on. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.nowMs + ms;
    await settled();
    for (;;) {
      const [next] = this.#wakes.toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined || next.atMs > endMs) break;
      this.#wakes.splice(this.#wakes.indexOf(next), 1);
      this.clock.nowMs = next.atMs;
      next.wake();
      await settled();
    }
    this.clock.nowMs = endMs;
  }
}

/** Whatever waits for nothing but its turn has run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const order = { moves: 10, withinMs: 4_000, startInMs: 0 };

describe('shedding', () => {
  it('asks the given number of clients, each once, over a second', async () => {
    const bench = new Bench();
    bench.crowd(100);
    expect(bench.moves.shed({ ...order, moves: 30 })).toBe(30);
    const fromMs = bench.clock.nowMs;
    await bench.pass(1_000);
    expect(new Set(bench.told.map(({ who }) => who)).size).toBe(30);
    const times = bench.told.map(({ atMs }) => atMs - fromMs);
    expect([times[0], times.at(-1)]).toEqual([0, 900]);
    expect(times.filter((atMs) => atMs < 500)).toHaveLength(15);
    await bench.pass(10_000);
    expect(bench.told).toHaveLength(30);
  });

  it('sends the reason and the time limit; the hint keeps the pool and avoids this shard', async () => {
    const bench = new Bench();
    bench.client('c');
    expect(bench.moves.shed(order)).toBe(1);
    await bench.pass(0);
    expect(bench.told).toMatchObject([{ reason: 'rebalance', withinMs: 4_000 }]);
    expect(bench.told[0]?.url).toBe('ws://router/v1/connect?channels=lobby&hint=hint-c.1');
    const history = { stayedMs: STAY_MS, moves: 0, kept: false };
    expect(bench.hints).toEqual([
      { id: 'c.1', pool: 'desktop', allow: ['>'], measure: false, avoid: 's1', history },
    ]);
  });

  it('gives each request its own hint, for the network and the token of the ticket', async () => {
    const bench = new Bench();
    const client = bench.client('c');
    const bound = { network: 'n1', tokenExpiresS: 1_700_000_000 };
    Object.assign(client, { ticket: { ...client.ticket, ...bound } });
    await bench.moves.remeasure(client, 'tooSlow');
    await bench.moves.remeasure(client, 'promote');
    expect(bench.hints).toMatchObject([
      { id: 'c.1', ...bound },
      { id: 'c.2', ...bound },
    ]);
  });

  it('waits until the earlier moves have been requested', async () => {
    const bench = new Bench();
    bench.crowd(3);
    expect(bench.moves.shed({ ...order, startInMs: 700 })).toBe(3);
    await bench.pass(699);
    expect(bench.told).toEqual([]);
    await bench.pass(1_001);
    expect(bench.told).toHaveLength(3);
  });

  it.each<[string, (connection: Connection, nowMs: number) => void]>([
    ['is being closed', (one) => void one.delivery.close()],
    ['catches up', (one) => one.delivery.holdState({ fromStateSeq: 0, fromCriticalSeq: 0 }, [], 0)],
    ['was asked to be measured', (one, nowMs) => one.standing?.asked(nowMs - STAY_MS + 1, 1e9)],
    ['is on its way', (one, nowMs) => Object.assign(one, { leavingUntilMs: nowMs + 1 })],
  ])('leaves alone who %s', (_what, change) => {
    const bench = new Bench();
    change(bench.client('c'), bench.clock.nowMs);
    expect(bench.moves.shed(order)).toBe(0);
  });

  it('does not ask a client that has just connected, however long it was on other shards', () => {
    const bench = new Bench();
    const { nowMs } = bench.clock;
    const client = bench.client('c', STAY_MS - 1);
    client.standing = new Standing({
      history: { stayedMs: STAY_MS, moves: 0, kept: false },
      mayRise: true,
      nowMs: client.openedMs,
    });
    expect(bench.moves.shed(order)).toBe(0);
    bench.clock.nowMs = nowMs + 1;
    expect(bench.moves.shed(order)).toBe(1);
  });

  it('does not ask a client again that did not move', async () => {
    const bench = new Bench();
    bench.crowd(5);
    expect(bench.moves.shed({ ...order, moves: 3 })).toBe(3);
    await bench.pass(2 * STAY_MS);
    expect(bench.moves.shed(order)).toBe(2);
    await bench.pass(2 * STAY_MS);
    expect(bench.moves.shed(order)).toBe(0);
    expect(new Set(bench.told.map(({ who }) => who)).size).toBe(5);
  });

  it('leaves all clients to a drain that begins meanwhile, and skips clients that have left', async () => {
    const gone = new Bench();
    const client = gone.client('c');
    gone.moves.shed({ ...order, startInMs: 100 });
    client.delivery.leave();
    await gone.pass(1_000);
    expect(gone.told).toEqual([]);

    const bench = new Bench();
    bench.crowd(20);
    bench.moves.shed({ ...order, moves: 20 });
    await bench.pass(450);
    expect(bench.told).toHaveLength(10);
    bench.draining = true;
    await bench.pass(1_000);
    expect(bench.told).toHaveLength(10);
  });
});

describe('other moves', () => {
  it('ask for a new measurement, and only a client that is too slow avoids this shard', async () => {
    const bench = new Bench();
    await bench.moves.remeasure(bench.client('a'), 'tooSlow');
    await bench.moves.remeasure(bench.client('b'), 'promote');
    expect(bench.hints.map(({ measure, avoid }) => [measure, avoid])).toEqual([
      [true, 's1'],
      [true, undefined],
    ]);
  });

  it('contain a finding of which a second look was certain', async () => {
    const bench = new Bench();
    const client = bench.client('a');
    const thresholds = { kbps: 2_000, rttMs: 270 };
    const limits = { promotes: false, demotes: true, unsureAfterMs: 1, sureAfterMs: 1, everyMs: 1e9 };
    const look = new Look({ class: 'fast', confidence: 'low', thresholds }, limits, 0);
    client.look = look;
    await bench.moves.remeasure(client, 'tooSlow');
    const pong = { lagMs: 400, isTrain: false, provenBytes: 100, provenMs: 1_000, isLast: true };
    for (let nowMs = 1_000; nowMs <= 10_000; nowMs += 1_000) look.heard({ ...pong, nowMs });
    await bench.moves.remeasure(client, 'tooSlow');
    const finding = { class: 'slow', confidence: 'high', rttMs: 400, thresholds };
    expect(bench.hints.map((hint) => hint.finding)).toEqual([undefined, finding]);
  });

  it('of a drain are for every client, also for one that was asked before', async () => {
    const bench = new Bench();
    bench.client('old');
    bench.client('new', 0);
    bench.moves.shed(order);
    await bench.pass(0);
    bench.draining = true;
    void bench.moves.drain({ movesPerSecond: 500, movesMs: 10_000 });
    await bench.pass(50);
    expect(
      bench.told
        .filter(({ reason }) => reason === 'drain')
        .map(({ who }) => who)
        .toSorted(),
    ).toEqual(['new', 'old']);
    await bench.pass(5_000);
    expect(bench.here.size).toBe(0);
  });
});
