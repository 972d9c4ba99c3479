// A pool grows with its clients and their feed, the rebalancer spreads them, and the pool shrinks one shard at a time
// when they leave, on control's metrics alone. No message is lost or doubled, no client is silent for long, the other
// pool stays as it was. Small by default, 2,000 clients with WEIR_TEST_SCALE=full; scaling rules are the defaults.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scale } from '../../harness/scale.ts';
import type { Episode } from './crowd.ts';
import { Crowd, delay, until } from './crowd.ts';
import { createNamespace, crowdValues, get, kubectl, programs, Release, wanted, whyNot } from './lab.ts';

const minutes = 60_000;
const [helm = 'helm'] = wanted ? programs(['helm', 'helm4', 'helm3']) : [];
const namespace = 'weir-scaling';
/** Enough to make the rebalancer fill the fourth shard: it leaves shards up to 50 clients above the average alone. */
const DESKTOPS = scale(720, 2_000);
/** As many as two shards hold: the HPA wants a third. More would overflow into the mobile pool. */
const FIRST = Math.floor((DESKTOPS * 2) / 3);
const MOBILES = scale(20, 60);
const STAYING = scale(60, 200);
/** Of one shard: the HPA aims at 75 % of it, so all desktops need four shards. */
const CAPACITY = scale(280, 700);
const VALUES = {
  'pools.desktop.capacity': String(CAPACITY),
  'poolDefaults.maxReplicas': '6',
  // The crowd shares the machine, so processor use proves nothing.
  'poolDefaults.targets.eventLoopUtilization': '',
  'poolDefaults.drain.graceMs': '2000',
  'poolDefaults.drain.windowMs': '5000',
  'autoscaling.scaleDown.stabilizationSeconds': '15',
  'autoscaling.scaleDown.periodSeconds': '15',
  'control.settings.WEIR_REBALANCE_COOL_DOWN_MS': '15000',
  ...crowdValues,
};

describe.skipIf(!wanted)(`autoscaling of the builtin source${whyNot}`, () => {
  const release = new Release(helm, 'weir', namespace);
  let crowd: Crowd | undefined;

  beforeAll(async () => {
    await createNamespace(namespace);
    await release.install(...Object.entries(VALUES).flatMap(([key, value]) => ['--set', `${key}=${value}`]));
  }, 5 * minutes);
  afterAll(async () => {
    await crowd?.stop();
    await release.uninstall().catch(() => {});
    await kubectl('delete', 'namespace', namespace, '--timeout=120s');
  }, 5 * minutes);

  it(
    'grows with the clients, spreads them, shrinks without them, and costs them nothing',
    async () => {
      const url = await release.routerUrl();
      const mobile = await namesOf('mobile');
      const one = new Crowd(await release.publisher(), { channel: 'scaling', everyMs: scale(200, 400) });
      crowd = one;
      await one.join(url, MOBILES, { class: 'mobile', paceMs: 20 });
      one.start();
      const watch = new ReplicaWatch(release);
      const began = performance.now();
      const phases: Omit<Episode, 'backAfterMs'>[] = [];
      const told = async (what: string): Promise<void> => {
        const seconds = Math.round((performance.now() - began) / 1000);
        const phase = await one.look();
        phases.push(phase);
        console.log(`${what} after ${seconds} s: ${JSON.stringify({ ...phase, on: await one.shards() })}`);
      };
      const paceMs = scale(30, 35);
      await one.join(url, FIRST, { paceMs });
      await until(async () => (await release.readyShards('desktop')) >= 3, 'three shards', 3 * minutes);
      await one.join(url, DESKTOPS - FIRST, { paceMs });
      await told('joined');
      one.grow(1_000);
      await until(async () => (await release.readyShards('desktop')) >= 4, 'four shards', 3 * minutes);
      await told('grown');
      await until(async () => isEven(await one.shards(), mobile), 'the clients are spread', 3 * minutes);
      await told('spread');
      await one.leave(MOBILES + STAYING, DESKTOPS - STAYING);
      await until(
        async () => (await release.shards('desktop')).length === 2,
        'two shards again',
        5 * minutes,
      );
      const drained = async (): Promise<boolean> => (await namesOf('desktop')).length === 2;
      await until(drained, 'the last drain has ended', 2 * minutes);
      await told('shrunk');
      console.log(`shards wanted: ${await watch.end()}`);
      const report = await one.end();
      console.log(`scaled: ${JSON.stringify(report)}`);
      expect(report).toMatchObject({ lost: 0, doubled: 0, gaps: 0 });
      for (const { breaks, longestSilenceMs, longestStallMs } of phases) {
        expect(breaks).toBe(0);
        expect(longestSilenceMs).toBeLessThan(scale(10_000, 2_000) + longestStallMs);
      }
      expect(watch.steepestFall).toBe(1);
      expect(await namesOf('mobile')).toEqual(mobile);
    },
    15 * minutes,
  );
});

async function namesOf(pool: string): Promise<readonly string[]> {
  return (await get('pods', namespace, `weir.dev/pool=${pool}`)).map(({ name }) => name).toSorted();
}

/** The rebalancer leaves shards within a tenth and 50 clients of the average alone. */
function isEven(counts: Readonly<Record<string, number>>, mobile: readonly string[]): boolean {
  const desktop = Object.entries(counts).filter(([shard]) => !mobile.includes(shard));
  const numbers = desktop.map(([, count]) => count);
  const average = numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length);
  const most = Math.max(...numbers);
  return numbers.length >= 4 && (most <= average * 1.1 || most <= average + 50);
}

/** The numbers of shards that the desktop pool wanted, in order. */
class ReplicaWatch {
  readonly #wanted: number[] = [];
  readonly #watching: Promise<void>;
  #ended = false;

  constructor(release: Release) {
    this.#watching = this.#watch(release.namespace);
  }

  get steepestFall(): number {
    return Math.max(...this.#wanted.map((now, at) => (this.#wanted[at - 1] ?? now) - now));
  }

  async end(): Promise<string> {
    this.#ended = true;
    await this.#watching;
    return this.#wanted.join(', ');
  }

  async #watch(namespace: string): Promise<void> {
    for (; !this.#ended; await delay(1_000)) {
      const found = await get('deployments', namespace, 'weir.dev/pool=desktop').catch(() => []);
      const replicas = Number(found[0]?.at('spec.replicas') ?? Number.NaN);
      if (!Number.isNaN(replicas) && this.#wanted.at(-1) !== replicas) this.#wanted.push(replicas);
    }
  }
}
