// The metrics API and control behind a real API server: discovery and OpenAPI through the aggregator, unauthorised
// callers (case H8), the HPAs, NATS away, a killed leader, deletion costs (case H11).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { ask } from '../../harness/front-proxy.ts';
import { delay, until } from './crowd.ts';
import { createNamespace, get, kubectl, programs, Release, refusalOf, wanted, whyNot } from './lab.ts';

const minutes = 60_000;
const [helm = 'helm'] = wanted ? programs(['helm', 'helm4', 'helm3']) : [];
const namespace = 'weir-metrics-api';
const group = '/apis/custom.metrics.k8s.io';
const connections = `${group}/v1beta2/namespaces/${namespace}/pods/*/weir_shard_connections`;
const cost = 'controller.kubernetes.io/pod-deletion-cost';
const control = 'app.kubernetes.io/component=control';

interface Item {
  readonly describedObject: { readonly name: string };
  readonly value: string;
}

async function values(query = ''): Promise<ReadonlyMap<string, string>> {
  const text = await kubectl('get', '--raw', `${connections}${query}`);
  const { items } = JSON.parse(text) as { readonly items: readonly Item[] };
  return new Map(items.map(({ describedObject, value }) => [describedObject.name, value]));
}

async function names(selector: string): Promise<readonly string[]> {
  return (await get('pods', namespace, selector)).map(({ name }) => name).toSorted();
}

async function leader(): Promise<string> {
  const leases = await get('leases', namespace);
  return leases.find(({ name }) => name === 'weir-control')?.text('spec.holderIdentity') ?? '';
}

/** How often the aggregator found the API group unavailable. */
async function timesUnavailable(): Promise<number> {
  const text = await kubectl('get', '--raw', '/metrics');
  const lines = text
    .split('\n')
    .filter((line) => /^aggregator_unavailable_apiservice_total\{.*custom\.metrics/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe.skipIf(!wanted)(`the metrics API on a cluster${whyNot}`, () => {
  const release = new Release(helm, 'weir', namespace);
  const clients: BareClient[] = [];

  beforeAll(async () => {
    await createNamespace(namespace);
    await release.install();
    await until(async () => (await values()).size === 4, 'the metrics of four shards');
  }, 5 * minutes);
  afterAll(async () => {
    for (const client of clients) client.close();
    await release.uninstall().catch(() => {});
    await kubectl('delete', 'namespace', namespace, '--timeout=120s');
  }, 5 * minutes);

  it(
    'is there for kubectl and for the aggregator, which reports no errors',
    async () => {
      const began = performance.now();
      await kubectl('api-resources');
      console.log(`kubectl api-resources: ${Math.round(performance.now() - began)} ms`);
      expect(JSON.parse(await kubectl('get', '--raw', group))).toMatchObject({ kind: 'APIGroup' });
      const list = await kubectl('get', '--raw', `${group}/v1beta2`);
      expect(JSON.parse(list)).toMatchObject({ kind: 'APIResourceList' });
      expect(await kubectl('get', '--raw', '/openapi/v3')).toContain('apis/custom.metrics.k8s.io/v1beta2');
      await kubectl('get', '--raw', '/openapi/v3/apis/custom.metrics.k8s.io/v1beta2');
      const before = await timesUnavailable();
      await delay(20_000);
      expect(await timesUnavailable()).toBe(before);
      const services = await get('apiservices', namespace, 'app.kubernetes.io/instance=weir');
      expect(JSON.stringify(services[0]?.at('status.conditions'))).toContain('"status":"True"');
    },
    2 * minutes,
  );

  it('reports the load of live pods, by the labels that an HPA uses', async () => {
    for (const pool of ['mobile', 'desktop']) {
      const selector = `weir.dev/pool=${pool}`;
      const found = await values(`?labelSelector=${encodeURIComponent(selector)}`);
      expect([...found.keys()].toSorted()).toEqual(await names(selector));
    }
  });

  it(
    'is read by every HPA',
    async () => {
      await until(
        async () => {
          const all = await get('horizontalpodautoscalers', namespace);
          return (
            all.length === 2 &&
            all.every((hpa) =>
              hpa
                .list('status.conditions')
                .some((one) => one.at('type') === 'ScalingActive' && one.at('status') === 'True'),
            )
          );
        },
        'both HPAs have their metrics',
        minutes,
      );
    },
    2 * minutes,
  );

  it('answers no caller that bypasses the API server (case H8)', async () => {
    for (const pod of await get('pods', namespace, control)) {
      const url = `https://${pod.text('status.podIP')}:8443${connections.replace('*', '%2A')}`;
      const forged = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };
      const answers = [await ask(url), await ask(url, { headers: forged })];
      expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    }
  });

  it(
    'gives pods the cost of their clients, and writes it once (case H11)',
    async () => {
      const url = await release.routerUrl();
      for (let client = 0; client < 12; client += 1)
        clients.push(await BareClient.connect(url, 'channels=odds&class=desktop'));
      const priced = async (): Promise<readonly string[]> =>
        (await get('pods', namespace, 'weir.dev/pool=desktop')).map((pod) =>
          JSON.stringify(pod.at('metadata.annotations') ?? {}),
        );
      await until(
        async () => (await priced()).every((text) => text.includes(cost)),
        'costs are written',
        3 * minutes,
      );
      const versions = async (): Promise<unknown> =>
        (await get('pods', namespace, 'weir.dev/pool=desktop')).map((pod) =>
          pod.at('metadata.resourceVersion'),
        );
      const before = await versions();
      await delay(70_000);
      expect(await versions()).toEqual(before);
    },
    6 * minutes,
  );

  it(
    'has one leader, and soon another one after the leader is killed (case H9)',
    async () => {
      await until(async () => (await names(control)).includes(await leader()), 'a pod leads');
      const first = await leader();
      await kubectl('delete', 'pod', first, '-n', namespace, '--grace-period=0', '--force');
      const began = performance.now();
      await until(async () => ![first, ''].includes(await leader()), 'another one leads', minutes);
      console.log(`another leader after ${Math.round((performance.now() - began) / 1000)} s`);
    },
    2 * minutes,
  );

  it(
    'reports no values while NATS is away, and no HPA scales on that',
    async () => {
      const before = await names('app.kubernetes.io/component=shard');
      await kubectl('scale', 'statefulset/weir-nats', '-n', namespace, '--replicas=0');
      await until(
        async () => /NATS is away/.test(await refusalOf('kubectl', 'get', '--raw', connections)),
        'the metrics are stale',
        minutes,
      );
      await delay(20_000);
      expect(await names('app.kubernetes.io/component=shard')).toEqual(before);
      await kubectl('scale', 'statefulset/weir-nats', '-n', namespace, '--replicas=1');
      await until(
        async () => (await refusalOf('kubectl', 'get', '--raw', connections)) === '',
        'they are back',
        2 * minutes,
      );
    },
    5 * minutes,
  );
});
