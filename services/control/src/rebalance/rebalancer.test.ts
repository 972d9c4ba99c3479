import type { ShardEntry } from '@weir/fleet';
import { describe, expect, it } from 'vitest';
import { entryOf } from '../fakes/entries.ts';
import { rebalanceText } from './rebalance-now.ts';
import { Rebalancer } from './rebalancer.ts';

/** A pool whose clients go where the router would send them, after a few seconds. */
class FakePool {
  nowMs = 0;
  leads = true;
  known = true;
  unheard = 0;
  /** Share of what is asked for that a shard accepts; nothing: it does not answer. */
  willing: number | undefined = 1;
  readonly asked: { readonly atMs: number; readonly shard: string; readonly moves: number }[] = [];
  readonly outcomes: string[] = [];
  readonly rebalancer: Rebalancer;
  shards: ShardEntry[];
  #moving: { readonly atMs: number; readonly from: string }[] = [];
  #seed = 7;

  constructor(connections: readonly number[], movesPerSecond = 500) {
    this.shards = connections.map((count, index) => entryOf(`s${index}`, { connections: count }));
    this.rebalancer = new Rebalancer({
      pace: { movesPerSecond, coolDownMs: 60_000, withinMs: 5_000 },
      monotonicMs: () => this.nowMs,
      leading: () => this.leads,
      entries: () => (this.known ? this.shards : undefined),
      unheard: () => this.unheard,
      shed: async (shard, moves) => this.#shed(shard, moves),
      onRound: (_, outcome) => this.outcomes.push(outcome),
    });
  }

  get connections(): readonly number[] {
    return this.shards.map(({ connections }) => connections);
  }

  async seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second += 1) {
      this.nowMs += 1_000;
      await this.rebalancer.step();
      for (const { from } of this.#moving.filter(({ atMs }) => atMs <= this.nowMs)) this.#move(from);
      this.#moving = this.#moving.filter(({ atMs }) => atMs > this.nowMs);
    }
  }

  #shed(shard: string, moves: number): number | undefined {
    this.asked.push({ atMs: this.nowMs, shard, moves });
    if (this.willing === undefined) return undefined;
    const accepted = Math.floor(moves * this.willing);
    for (let client = 0; client < accepted; client += 1)
      this.#moving.push({ atMs: this.nowMs + 5_000 * this.#random(), from: shard });
    return accepted;
  }

  /** To the emptier of two different others. */
  #move(from: string): void {
    const others = this.shards.filter(({ shard }) => shard !== from);
    const first = Math.floor(this.#random() * others.length);
    const second = Math.floor(this.#random() * (others.length - 1));
    const [one, two] = [others[first], others[second < first ? second : second + 1]];
    const to = two === undefined || (one?.connections ?? 0) <= two.connections ? one : two;
    this.shards = this.shards.map((entry) => {
      if (entry.shard === from) return { ...entry, connections: entry.connections - 1 };
      return entry.shard === to?.shard ? { ...entry, connections: entry.connections + 1 } : entry;
    });
  }

  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }
}

const perSecond = ({ asked }: FakePool): readonly number[] => {
  const sums = new Map<number, number>();
  for (const { atMs, moves } of asked) sums.set(atMs, (sums.get(atMs) ?? 0) + moves);
  return [...sums.values()];
};

describe('Rebalancer', () => {
  it('balances a pool after a scale-up, a hundredth a second, and then leaves it alone', async () => {
    const pool = new FakePool([4_000, 4_000, 0]);
    await pool.seconds(60);
    expect(pool.asked).toEqual([]);
    await pool.seconds(120);
    expect(Math.max(...perSecond(pool))).toBe(80);
    expect(pool.asked.reduce((sum, { moves }) => sum + moves, 0)).toBeLessThan(3_200);
    for (const count of pool.connections) expect(Math.abs(count - 8_000 / 3)).toBeLessThan(300);
    expect(pool.outcomes.at(-1)).toBe('balanced');
    const before = pool.asked.length;
    await pool.seconds(300);
    expect(pool.asked).toHaveLength(before);
  });

  it.each([
    ['500 of a large pool', [90_000, 0], 500],
    ['20 of a small one', [300, 0], 20],
  ])('asks for %s in a second', async (_, connections, most) => {
    const pool = new FakePool(connections);
    await pool.seconds(100);
    expect(Math.max(...perSecond(pool))).toBe(most);
  });

  it('asks for no more than it may in a second, whatever the pool', async () => {
    const pool = new FakePool([900, 900, 900, 900, 0, 0, 0, 0], 7);
    await pool.seconds(120);
    expect(Math.max(...perSecond(pool))).toBeLessThanOrEqual(7);
    expect(pool.asked.length).toBeGreaterThan(100);
  });

  it('waits a minute after a shard has come, gone or begun anew', async () => {
    const pool = new FakePool([4_000, 0]);
    await pool.seconds(50);
    pool.shards = [...pool.shards, entryOf('new')];
    await pool.seconds(59);
    expect(pool.asked).toEqual([]);
    pool.shards = pool.shards.map((entry) =>
      entry.shard === 'new' ? { ...entry, url: 'ws://again' } : entry,
    );
    await pool.seconds(59);
    expect(pool.asked).toEqual([]);
    await pool.seconds(5);
    expect(pool.asked.length).toBeGreaterThan(0);
  });

  it('ends a round when somebody stops taking part, and waits', async () => {
    const pool = new FakePool([9_000, 0]);
    await pool.seconds(63);
    const before = pool.asked.length;
    expect(before).toBeGreaterThan(0);
    pool.shards = pool.shards.map((entry, index) => (index === 1 ? { ...entry, draining: true } : entry));
    await pool.seconds(2);
    pool.shards = pool.shards.map((entry) => ({ ...entry, draining: false }));
    await pool.seconds(55);
    expect(pool.asked).toHaveLength(before);
    expect(pool.outcomes).toEqual(['hindered']);
  });

  it('does not begin while a pod has not been heard', async () => {
    const pool = new FakePool([9_000, 0]);
    pool.unheard = 1;
    await pool.seconds(200);
    expect(pool.asked).toEqual([]);
  });

  it('asks for nothing where it does not lead or hears nothing, and waits when it does again', async () => {
    const pool = new FakePool([9_000, 0]);
    pool.leads = false;
    await pool.seconds(200);
    pool.leads = true;
    pool.known = false;
    await pool.seconds(200);
    pool.known = true;
    await pool.seconds(60);
    expect(pool.asked).toEqual([]);
    await pool.seconds(2);
    expect(pool.asked.length).toBeGreaterThan(0);
  });

  it('stops in the middle of a step when it has lost the lead', async () => {
    const pool = new FakePool([900, 900, 0, 0]);
    let asked = 0;
    const rebalancer = new Rebalancer({
      pace: { movesPerSecond: 500, coolDownMs: 0, withinMs: 5_000 },
      monotonicMs: () => pool.nowMs,
      leading: () => asked === 0,
      entries: () => pool.shards,
      unheard: () => 0,
      shed: async (_, moves) => {
        asked += 1;
        return moves;
      },
    });
    await rebalancer.step();
    expect(asked).toBe(1);
  });

  it('gives a shard up that does not answer', async () => {
    const pool = new FakePool([9_000, 0]);
    pool.willing = undefined;
    await pool.seconds(62);
    expect(pool.asked).toHaveLength(1);
    await pool.seconds(58);
    expect(pool.asked).toHaveLength(1);
    expect(pool.outcomes).toEqual(['unanswered']);
  });

  it('does not insist where nobody can be moved', async () => {
    const pool = new FakePool([9_000, 0]);
    pool.willing = 0;
    await pool.seconds(75);
    expect(pool.outcomes).toEqual(['nobodyMoved']);
    expect(pool.asked).toHaveLength(1);
  });

  it('does not step twice at once', async () => {
    const pool = new FakePool([9_000, 0]);
    await pool.seconds(60);
    pool.nowMs += 1_000;
    await Promise.all([pool.rebalancer.step(), pool.rebalancer.step()]);
    expect(pool.asked).toHaveLength(1);
  });
});

describe('a request to rebalance now', () => {
  it('ends the pause after a change, and says what is moved', async () => {
    const pool = new FakePool([1_000, 100]);
    await pool.seconds(2);
    expect(pool.asked).toEqual([]);
    const found = pool.rebalancer.now();
    expect(rebalanceText(found ?? new Map())).toBe('Pool desktop moves 450 clients.');
    await pool.seconds(1);
    expect(pool.asked.length).toBeGreaterThan(0);
  });

  it('moves nothing in a pool that is balanced or hindered', () => {
    expect(new FakePool([100, 110]).rebalancer.now()).toEqual(new Map([['desktop', 0]]));
    expect(rebalanceText(new Map([['desktop', 0]]))).toBe('Pool desktop is balanced.');
    expect(new FakePool([1_000]).rebalancer.now()).toEqual(new Map([['desktop', 'few']]));
    expect(rebalanceText(new Map([['desktop', 'few']]))).toBe('Pool desktop has one shard alone.');
    expect(rebalanceText(new Map())).toBe('There is no shard.');
  });

  it('is not answered by a control that does not lead, or hears nothing', () => {
    const pool = new FakePool([1_000, 100]);
    pool.leads = false;
    expect(pool.rebalancer.now()).toBeUndefined();
    pool.leads = true;
    pool.known = false;
    expect(pool.rebalancer.now()).toBeUndefined();
  });
});
