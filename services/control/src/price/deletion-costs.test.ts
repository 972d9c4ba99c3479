import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, newCost } from './cost.ts';
import type { PricedPod } from './deletion-costs.ts';
import { DeletionCosts } from './deletion-costs.ts';

describe('costOf', () => {
  it('is the bottom of a bucket half a doubling wide', () => {
    expect([0, 1, 2, 3, 5, 6, 7, 8, 11, 12, 1_000, 1_024].map(costOf)).toEqual([
      0, 1, 2, 3, 4, 6, 6, 8, 8, 12, 725, 1_024,
    ]);
  });

  it('never orders two pods the wrong way, and is its own cost', () => {
    const count = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(count, count, (one, two) => {
        if (one <= two) expect(costOf(one)).toBeLessThanOrEqual(costOf(two));
        expect(costOf(costOf(one))).toBe(costOf(one));
        expect(costOf(one)).toBeLessThanOrEqual(one);
        expect(costOf(one) * 1.5).toBeGreaterThanOrEqual(one / 1.01 - 1);
      }),
    );
  });
});

describe('newCost', () => {
  it.each([
    [0, undefined, undefined],
    [1, undefined, 1],
    [0, '0', undefined],
    [1, '0', 1],
    [0, '1', 0],
    [1_030, '1024', undefined],
    [1_000, '1024', undefined],
    [900, '1024', 725],
    [1_500, '1024', undefined],
    [1_700, '1024', 1_449],
    [1_000, '-7', 725],
    [1_000, 'by hand', 725],
    [1_000, '777', 725],
  ])('of %d connections where %s is written: %s', (connections, written, cost) => {
    expect(newCost(connections, written)).toBe(cost);
  });
});

/** Pods that keep what is written to them. */
class FakePods {
  nowMs = 0;
  leads = true;
  readonly writes: { readonly atMs: number; readonly name: string; readonly cost: number }[] = [];
  readonly costs = new Map<string, string>();
  connections: Readonly<Record<string, number>>;
  readonly keeper: DeletionCosts;

  constructor(connections: Readonly<Record<string, number>>) {
    this.connections = connections;
    this.keeper = this.keeperOf();
  }

  keeperOf(): DeletionCosts {
    return new DeletionCosts({
      monotonicMs: () => this.nowMs,
      leading: () => this.leads,
      pods: () => this.pods(),
      write: async ({ name }, cost) => {
        this.writes.push({ atMs: this.nowMs, name, cost });
        this.costs.set(name, String(cost));
      },
    });
  }

  pods(): readonly PricedPod[] {
    return Object.entries(this.connections).map(([name, connections]) => ({
      name,
      uid: name,
      deletionCost: this.costs.get(name),
      connections,
    }));
  }

  async seconds(count: number, change: () => void = () => undefined): Promise<void> {
    for (let second = 0; second < count; second += 1) {
      this.nowMs += 1_000;
      change();
      await this.keeper.step();
    }
  }
}

describe('DeletionCosts', () => {
  it('are at most one write a minute a pod, only on a change of bucket, in 10 min of churn (case H11)', async () => {
    const pods = new FakePods({ a: 1_000, b: 3_000, c: 40 });
    const base = { ...pods.connections };
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    await pods.seconds(600, () => {
      const churned = Object.entries(base).map(([name, count]) => [
        name,
        Math.round(count * (0.7 + 0.6 * random())),
      ]);
      pods.connections = Object.fromEntries(churned);
    });
    for (const name of Object.keys(base)) {
      const own = pods.writes.filter((write) => write.name === name);
      expect(own.length).toBeGreaterThan(0);
      expect(own.length).toBeLessThanOrEqual(10);
      own.slice(1).forEach(({ atMs, cost }, index) => {
        expect(atMs - (own[index]?.atMs ?? 0)).toBeGreaterThanOrEqual(60_000);
        expect(cost).not.toBe(own[index]?.cost);
      });
    }
    const cheapest = [...pods.costs].toSorted(([, one], [, two]) => Number(one) - Number(two))[0];
    expect(cheapest?.[0]).toBe('c');
  });

  it('write nothing while nothing changes', async () => {
    const pods = new FakePods({ a: 1_000, b: 0 });
    await pods.seconds(600);
    expect(pods.writes).toEqual([{ atMs: 61_000, name: 'a', cost: 725 }]);
  });

  it('write one pod a second at most, and each in its turn', async () => {
    const pods = new FakePods(
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, 8])),
    );
    await pods.seconds(161);
    const times = pods.writes.map(({ atMs }) => atMs);
    expect(new Set(times).size).toBe(times.length);
    expect(new Set(pods.writes.map(({ name }) => name)).size).toBe(100);
  });

  it('are left to the leader, and a new one waits a minute', async () => {
    const pods = new FakePods({ a: 1_000 });
    pods.leads = false;
    await pods.seconds(300);
    expect(pods.writes).toEqual([]);
    pods.leads = true;
    await pods.seconds(60);
    expect(pods.writes).toEqual([]);
    await pods.seconds(1);
    expect(pods.writes).toHaveLength(1);
  });

  it('leave a pod alone for a minute also where the write failed', async () => {
    const pods = new FakePods({ a: 1_000 });
    let tries = 0;
    const keeper = new DeletionCosts({
      monotonicMs: () => pods.nowMs,
      leading: () => true,
      pods: () => pods.pods(),
      write: async () => {
        tries += 1;
        throw new Error('no');
      },
    });
    for (let second = 0; second < 180; second += 1) {
      pods.nowMs += 1_000;
      await keeper.step().catch(() => undefined);
    }
    expect(tries).toBe(2);
  });
});
