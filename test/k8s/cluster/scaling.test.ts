// A pool grows with its clients and shrinks when they leave, from control's metrics alone: nothing lost, nothing
// doubled, nobody without data for long, the other pool as it was. In small: the rules are those of the defaults.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crowd, until } from './crowd.ts';
import { createNamespace, get, kubectl, programs, Release, wanted, whyNot } from './lab.ts';

const minutes = 60_000;
const [helm = 'helm'] = wanted ? programs(['helm', 'helm4', 'helm3']) : [];
const namespace = 'weir-scaling';
const VALUES = {
  'pools.mobile.capacity': '200',
  'poolDefaults.maxReplicas': '4',
  'poolDefaults.drain.graceMs': '2000',
  'poolDefaults.drain.windowMs': '5000',
  'autoscaling.scaleDown.stabilizationSeconds': '15',
  'autoscaling.scaleDown.periodSeconds': '15',
};

describe.skipIf(!wanted)(`autoscaling of the builtin source${whyNot}`, () => {
  const release = new Release(helm, 'weir', namespace);

  beforeAll(async () => {
    await createNamespace(namespace);
    await release.install(...Object.entries(VALUES).flatMap(([key, value]) => ['--set', `${key}=${value}`]));
  }, 5 * minutes);
  afterAll(async () => {
    await release.uninstall().catch(() => {});
    await kubectl('delete', 'namespace', namespace, '--timeout=120s');
  }, 5 * minutes);

  it(
    'grows with the clients, shrinks without them, and costs them nothing',
    async () => {
      const publisher = await release.publisher();
      const crowd = new Crowd(publisher, 'scaling');
      // The pool that one may ask for: on a machine that is busy a measurement may say anything.
      await crowd.join(await release.routerUrl(), 60, { class: 'mobile' });
      crowd.start();
      expect(await release.readyShards('mobile')).toBe(2);
      await crowd.join(await release.routerUrl(), 300, { class: 'mobile' });
      await until(async () => (await release.readyShards('mobile')) >= 3, 'a third shard', 3 * minutes);
      console.log(`grown: ${JSON.stringify(countsOf(crowd.shards))}`);
      // Some of those who stay are on the new shard, whichever is taken away again.
      await crowd.join(await release.routerUrl(), 60, { class: 'mobile' });
      console.log(`late ones: ${JSON.stringify(countsOf(crowd.shards))}`);
      crowd.leave(60, 300);
      await until(async () => (await release.shards('mobile')).length === 2, 'two shards again', 5 * minutes);
      const gone = async (): Promise<boolean> =>
        (await get('pods', namespace, 'weir.dev/pool=mobile')).length === 2;
      await until(gone, 'the drain of the third has ended', 2 * minutes);
      expect(await release.readyShards('desktop')).toBe(2);
      const report = await crowd.end();
      publisher.close();
      console.log(`scaled: ${JSON.stringify(report)}`);
      expect(report).toMatchObject({ lost: 0, doubled: 0, gaps: 0, breaks: 0 });
    },
    12 * minutes,
  );
});

function countsOf(shards: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const shard of shards) counts[shard] = (counts[shard] ?? 0) + 1;
  return counts;
}
