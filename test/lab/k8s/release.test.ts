// A release from installation to removal on a real cluster, with each installed Helm: default values, clients from
// outside, `helm test`, upgrade and rollback under clients, uninstall.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { scale } from '../../harness/scale.ts';
import { Crowd, until } from './crowd.ts';
import {
  createNamespace,
  get,
  isEnding,
  kubectl,
  type Publisher,
  programs,
  Release,
  untilMeasured,
  wanted,
  whyNot,
} from './lab.ts';

const minutes = 60_000;
/** Drains short enough for a test, with the default rules. At full scale, the default drains. */
const DRAINS = scale(
  ['--set', 'poolDefaults.drain.graceMs=3000', '--set', 'poolDefaults.drain.windowMs=5000'],
  [],
);
/** The crowd comes from one address and keeps the machine busy, so event loops prove nothing. */
const MANY = [
  ...['--set', 'poolDefaults.targets.eventLoopUtilization='],
  ...['--set', 'router.settings.WEIR_CONNECTS_PER_SECOND_PER_ADDRESS=1000'],
  ...['--set', 'router.settings.WEIR_CONNECT_BURST_PER_ADDRESS=2000'],
];
const QUICK = [...DRAINS, ...MANY];
const CROWD = scale(60, 920);
const MOBILE = scale(20, 80);
const nextTag = process.env['WEIR_TEST_NEXT_TAG'];
const CHANGE =
  nextTag === undefined
    ? ['--set-string', 'poolDefaults.settings.WEIR_LAG_MS=30000']
    : ['--set', `image.tag=${nextTag}`];

const helms = wanted ? programs((process.env['WEIR_TEST_HELMS'] ?? 'helm,helm4,helm3').split(',')) : ['helm'];

describe.skipIf(!wanted).each(helms)(`a release of %s${whyNot}`, (helm) => {
  const namespace = `weir-${helm}`;
  const release = new Release(helm, 'weir', namespace);
  let publisher: Publisher;
  const crowds: Crowd[] = [];

  beforeAll(() => createNamespace(namespace));
  afterAll(async () => {
    await Promise.all(crowds.map((crowd) => crowd.stop()));
    await release.uninstall().catch(() => {});
    await kubectl('delete', 'namespace', namespace, '--timeout=120s');
  }, 5 * minutes);

  it(
    'is ready with no value set, under Pod Security restricted',
    async () => {
      const began = performance.now();
      await release.install();
      console.log(`${helm}: ready after ${Math.round((performance.now() - began) / 1000)} s`);
      // On a busy machine, event-loop use may already have asked for a third shard.
      expect(await release.readyShards('desktop')).toBeGreaterThanOrEqual(2);
      expect(await release.readyShards('mobile')).toBeGreaterThanOrEqual(2);
      publisher = await release.publisher();
    },
    4 * minutes,
  );

  it(
    'passes helm test',
    async () => {
      expect(await release.test()).toMatch(/Phase: +Succeeded/);
      expect(await get('pods', namespace, 'app.kubernetes.io/component=test')).toEqual([]);
    },
    4 * minutes,
  );

  it(
    'serves clients from outside in the right pool',
    async () => {
      const url = await release.routerUrl();
      for (const pool of ['mobile', 'desktop']) {
        const client = await BareClient.connect(url, `channels=odds&class=${pool}`);
        await until(() => client.of('welcome').length > 0, 'the welcome');
        expect(client.redirect).toMatchObject({ pool });
        const shard = String(client.of('welcome')[0]?.message['shard']);
        expect((await release.shards(pool)).map(({ name }) => name)).toContain(shard);
        client.close();
      }
    },
    2 * minutes,
  );

  it(
    'gives its HPAs their metrics',
    async () => {
      await untilMeasured(namespace);
      for (const hpa of await get('hpa', namespace)) {
        const active = hpa.list('status.conditions').find((one) => one.at('type') === 'ScalingActive');
        expect(active?.at('status')).toBe('True');
      }
    },
    2 * minutes,
  );

  it(
    'is upgraded under clients: nothing lost, nothing doubled, every client moved once, keys as before',
    async () => {
      await release.upgrade(...QUICK);
      const keys = await secretsOf(namespace);
      const crowd = new Crowd(publisher, { channel: `upgrade-${helm}`, everyMs: scale(100, 250) });
      crowds.push(crowd);
      await crowd.join(await release.routerUrl(), CROWD, { paceMs: 20 });
      await crowd.join(await release.routerUrl(), MOBILE, { class: 'mobile', paceMs: 20 });
      crowd.start();
      const began = performance.now();
      await release.upgrade(...QUICK, ...CHANGE);
      await rolledOut(namespace);
      const seconds = Math.round((performance.now() - began) / 1000);
      const report = await crowd.end();
      console.log(`${helm} upgrade (${CHANGE[1]}) in ${seconds} s: ${JSON.stringify(report)}`);
      expect(report).toMatchObject({ lost: 0, doubled: 0, gaps: 0, breaks: 0, moved: { 1: report.clients } });
      expect(await secretsOf(namespace)).toEqual(keys);
    },
    10 * minutes,
  );

  it(
    'is rolled back under clients: nothing lost, nothing doubled',
    async () => {
      const crowd = new Crowd(publisher, { channel: `rollback-${helm}` });
      crowds.push(crowd);
      await crowd.join(await release.routerUrl(), 60, { paceMs: 20 });
      crowd.start();
      await release.helm('rollback', 'weir', '--wait', '--timeout', '600s');
      await rolledOut(namespace);
      const report = await crowd.end();
      console.log(`${helm} rollback: ${JSON.stringify(report)}`);
      expect(report).toMatchObject({ lost: 0, doubled: 0, gaps: 0 });
    },
    10 * minutes,
  );

  it(
    'leaves nothing when it is uninstalled',
    async () => {
      await release.uninstall();
      const kinds = 'apiservices,clusterroles,clusterrolebindings';
      const left = await kubectl('get', kinds, '-l', 'app.kubernetes.io/name=weir', '-o', 'name');
      expect(left.trim()).toBe('');
      const everywhere = await kubectl(
        'get',
        'rolebindings',
        '-A',
        '-l',
        'app.kubernetes.io/name=weir',
        '-o',
        'name',
      );
      expect(everywhere.trim()).toBe('');
      const objects = 'deployments,statefulsets,services,secrets,configmaps,hpa,pdb,networkpolicies,leases';
      const own = await kubectl('get', objects, '-n', namespace, '-o', 'name');
      expect(
        own
          .trim()
          .split('\n')
          .filter((name) => !/kube-root-ca/.test(name)),
      ).toEqual([]);
    },
    6 * minutes,
  );
});

async function secretsOf(namespace: string): Promise<readonly unknown[]> {
  const secrets = await get('secrets', namespace, 'app.kubernetes.io/name=weir');
  return secrets.filter(({ name }) => !/-tls$/.test(name)).map((secret) => secret.at('data'));
}

/** Not every Helm version waits for all new pods; none waits for the drains of old ones. */
async function rolledOut(namespace: string): Promise<void> {
  const shards = 'app.kubernetes.io/component=shard';
  for (const { name } of await get('deployments', namespace, shards))
    await kubectl('rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=240s');
  const isLeaving = async (): Promise<boolean> => (await get('pods', namespace, shards)).some(isEnding);
  await until(async () => !(await isLeaving()), 'the old shards are gone', 3 * minutes);
}
