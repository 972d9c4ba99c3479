// Refusals on a real cluster come with advice (case H7, missing Secrets); autoscaling is switched on in a running
// release (case H2); and the edge serves everything at one address.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { Crowd, delay, until } from './crowd.ts';
import {
  createNamespace,
  edgeImage,
  get,
  hasImage,
  kubectl,
  programs,
  Release,
  refusalOf,
  root,
  wanted,
  whyNot,
} from './lab.ts';

const minutes = 60_000;
const [helm = 'helm'] = wanted ? programs(['helm', 'helm4', 'helm3']) : [];
const namespace = 'weir-switches';
const QUICK = ['--set', 'poolDefaults.drain.graceMs=1000', '--set', 'poolDefaults.drain.windowMs=2000'];
const edgeIsThere = wanted && (await hasImage(edgeImage));

const FOREIGN = `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1beta1.custom.metrics.k8s.io }
spec:
  group: custom.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  service: { name: prometheus-adapter, namespace: default, port: 443 }
`;

describe.skipIf(!wanted)(`the chart on a cluster${whyNot}`, () => {
  const release = new Release(helm, 'weir', namespace);
  const install = (...args: readonly string[]): Promise<string> =>
    refusalOf(helm, 'install', 'weir', `${root}charts/weir`, '-n', namespace, ...args);

  beforeAll(() => createNamespace(namespace));
  afterEach(async () => {
    await release.uninstall().catch(() => {});
  }, 3 * minutes);
  afterAll(async () => {
    await kubectl('delete', 'namespace', namespace, '--timeout=120s');
  }, 3 * minutes);

  it('names a missing Secret, and a missing key in a Secret', async () => {
    const given = ['--set', 'tickets.existingSecret=my-keys'];
    expect(await install(...given)).toMatch(
      /there is no such Secret in namespace weir-switches: create it first/,
    );
    await kubectl('create', 'secret', 'generic', 'my-keys', '-n', namespace, '--from-literal=keys=x');
    expect(await install(...given)).toMatch(
      /Secret my-keys in namespace weir-switches has no key ticketKeys/,
    );
  });

  it('says that KEDA is missing', async () => {
    expect(await install('--set', 'autoscaling.source=keda')).toMatch(/install KEDA 2\.20 or later first/);
  });

  it(
    'names the provider that owns the metrics API, and leaves it alone (case H7)',
    async () => {
      const { spawnSync } = await import('node:child_process');
      spawnSync('kubectl', ['apply', '-f', '-'], { input: FOREIGN });
      try {
        const refusal = await install();
        expect(refusal).toMatch(
          /v1beta1\.custom\.metrics\.k8s\.io belongs to another provider \(Service default\/prometheus-adapter\)/,
        );
        expect(refusal).toMatch(/set autoscaling\.source=/);
        expect(await install('--set', 'autoscaling.source=none')).toBe('');
        await release.uninstall();
        const left = await kubectl('get', 'apiservice', 'v1beta1.custom.metrics.k8s.io', '-o', 'name');
        expect(left).toMatch(/v1beta1/);
      } finally {
        await kubectl('delete', 'apiservice', 'v1beta1.custom.metrics.k8s.io');
      }
    },
    3 * minutes,
  );

  it(
    'lets a second release of Weir have another source of metrics (case H7)',
    async () => {
      expect(await install()).toBe('');
      const second = new Release(helm, 'second', namespace);
      const args = ['install', 'second', `${root}charts/weir`, '-n', namespace];
      expect(await refusalOf(helm, ...args)).toMatch(/belongs to another provider/);
      expect(await refusalOf(helm, ...args, '--set', 'autoscaling.source=none')).toBe('');
      await second.uninstall();
      expect(await get('apiservices', namespace, 'app.kubernetes.io/instance=weir')).toHaveLength(1);
    },
    5 * minutes,
  );

  it(
    'keeps the number of shards when autoscaling is switched on (case H2)',
    async () => {
      const none = ['--set', 'autoscaling.source=none', '--set', 'poolDefaults.replicas=3'];
      await release.install(...QUICK, ...none);
      let fewest = 3;
      let watching = true;
      const watch = (async () => {
        for (; watching; await delay(500)) fewest = Math.min(fewest, await release.readyShards('desktop'));
      })();
      await release.upgrade(
        ...QUICK,
        '--set',
        'autoscaling.source=builtin',
        '--set',
        'poolDefaults.minReplicas=3',
      );
      await until(async () => (await get('hpa', namespace)).length === 2, 'the HPAs are there');
      await release.upgrade(...QUICK, '--set', 'poolDefaults.minReplicas=3', '--set', 'logLevel=debug');
      watching = false;
      await watch;
      expect(fewest).toBe(3);
    },
    6 * minutes,
  );

  it(
    'fails helm test while the edge, the only front door, is down, even if all else is well',
    async () => {
      // An image that no cluster has.
      const edge = ['--set', 'edge.enabled=true', '--set', 'edge.image=localhost/weir/no-such-edge:1'];
      expect(await install(...QUICK, ...edge, '--set', 'autoscaling.source=none')).toBe('');
      for (const name of ['router', 'shard-mobile', 'shard-desktop', 'publisher'])
        await kubectl('rollout', 'status', `deployment/weir-${name}`, '-n', namespace, '--timeout=120s');
      expect(await refusalOf(helm, 'test', 'weir', '-n', namespace, '--timeout', '180s')).not.toBe('');
      const log = await kubectl('logs', 'weir-test', '-n', namespace);
      expect(log).toMatch(/FAILED|once more/);
      await kubectl('delete', 'pod', 'weir-test', '-n', namespace);
    },
    6 * minutes,
  );

  it.skipIf(!edgeIsThere)(
    `hands the front door to the edge in a running release, and back${edgeIsThere ? '' : ` (skipped: the cluster lacks ${edgeImage})`}`,
    async () => {
      const values = [...QUICK, '--set', 'autoscaling.source=none', '--set'];
      await release.install(...values, 'service.nodePort=30086');
      const upgrade = [
        'upgrade',
        'weir',
        `${root}charts/weir`,
        '-n',
        namespace,
        ...values,
        'edge.enabled=true',
      ];
      expect(await refusalOf(helm, ...upgrade, '--set', 'service.nodePort=30086')).toMatch(
        /service\.nodePort is 30086, which Service weir-router still holds/,
      );
      await release.upgrade(...values, 'edge.enabled=false');
      await release.upgrade(...values, 'edge.enabled=true');
      expect(await release.test()).toMatch(/Phase: +Succeeded/);
      await release.upgrade(...values, 'edge.enabled=false');
      expect(await release.test()).toMatch(/Phase: +Succeeded/);
    },
    6 * minutes,
  );

  it.skipIf(!edgeIsThere)(
    `has everything behind one address with the edge${edgeIsThere ? '' : ` (skipped: the cluster lacks ${edgeImage})`}`,
    async () => {
      await release.install(...QUICK, '--set', 'edge.enabled=true', '--set', 'autoscaling.source=none');
      expect(await release.test()).toMatch(/Phase: +Succeeded/);
      const url = await release.routerUrl('weir');
      const client = await BareClient.connect(url, 'channels=odds&class=mobile');
      expect(String(client.redirect['url'])).toMatch(new RegExp(`^${url}/s/[0-9.]+/v1/stream\\?ticket=`));
      await until(() => client.of('welcome').length > 0, 'the welcome');
      client.close();
      const publisher = await release.publisher();
      const crowd = new Crowd(publisher, { channel: 'edge' });
      await crowd.join(url, 40, { paceMs: 20 });
      crowd.start();
      const [victim] = await release.shards('desktop');
      await kubectl('delete', 'pod', victim?.name ?? '', '-n', namespace);
      const report = await crowd.end();
      console.log(`a shard deleted behind the edge: ${JSON.stringify(report)}`);
      expect(report).toMatchObject({ lost: 0, doubled: 0, gaps: 0, breaks: 0 });
      expect(await pathsOf(url)).toEqual([404, 404, 404]);
    },
    6 * minutes,
  );
});

/** Status codes of paths that the edge must not serve: it serves only streams of this release's shards. */
async function pathsOf(url: string): Promise<readonly number[]> {
  const paths = ['/s/10.96.0.1/metrics', '/s/not-an-address/v1/stream', '/s/'];
  const base = url.replace(/^ws/, 'http');
  return Promise.all(paths.map(async (path) => (await fetch(base + path)).status));
}
