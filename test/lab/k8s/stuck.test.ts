// Clients that do not read. A tenth of them in a pool does not make the pool grow, since their bytes are capped and
// counted apart, and an alert fires; a shard full of them stays below the memory limit that the chart sets (case E7).
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { render } from '../../contract/chart/render.ts';
import { scale } from '../../harness/scale.ts';
import { fires, value } from './alert.ts';
import { Crowd, delay, until } from './crowd.ts';
import {
  createNamespace,
  crowdValues,
  get,
  kubectl,
  onNode,
  processOf,
  programs,
  Release,
  wanted,
  whyNot,
  whyNotOnNode,
} from './lab.ts';
import { StuckClients } from './stuck-clients.ts';

const minutes = 60_000;
const [helm = 'helm'] = wanted ? programs(['helm', 'helm4', 'helm3']) : [];
const namespace = 'weir-stuck';
const group = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/pods/*`;

describe.skipIf(!wanted)(`clients that do not read${whyNot}`, () => {
  const release = new Release(helm, 'weir', namespace);
  const install = (values: Readonly<Record<string, string>>): Promise<string> =>
    release.install(
      ...Object.entries({ ...crowdValues, ...values }).flatMap(([key, text]) => ['--set', `${key}=${text}`]),
    );
  let stuck: StuckClients | undefined;
  let crowd: Crowd | undefined;

  beforeAll(() => createNamespace(namespace));
  afterEach(async () => {
    stuck?.end();
    await crowd?.stop();
    await release.uninstall().catch(() => {});
  }, 3 * minutes);
  afterAll(async () => {
    await kubectl('delete', 'namespace', namespace, '--timeout=120s');
  }, 3 * minutes);

  it(
    'do not make their pool grow if they are a tenth of it, and raise an alert',
    async () => {
      const target = 393_216;
      // The crowd shares the processor, so its use proves nothing.
      await install({
        'pools.mobile.targets.healthyBacklogBytes': '384Ki',
        'poolDefaults.targets.eventLoopUtilization': '',
      });
      const url = await release.routerUrl();
      crowd = new Crowd(await release.publisher(), { channel: 'stuck', everyMs: 200 });
      await crowd.join(url, 360, { class: 'mobile', paceMs: 20 });
      crowd.grow(12_000);
      crowd.start();
      stuck = new StuckClients(`${url}/v1/connect?channels=stuck&class=mobile`, { patienceMs: 15_000 });
      await stuck.join(40);
      await delay(20_000);
      const alert = alertNamed('WeirClientsBehind');
      for (let looked = 0; looked < scale(10, 30); looked++) {
        const pods = await Promise.all((await release.shards('mobile')).map(({ name }) => metricsOf(name)));
        expect(pods.length).toBe(2);
        const backlog = pods.map((text) => value('weir_shard_backlog_bytes', text));
        const behind = pods.map((text) => value('weir_shard_connections_not_live', text));
        const healthy = await readings('weir_shard_healthy_backlog_bytes');
        console.log(
          `backlog ${backlog.join(', ')}; healthy ${healthy.join(', ')}; behind ${behind.join(', ')}; given up ${stuck.givenUp}`,
        );
        expect(pods.some((text) => fires(alert, text))).toBe(true);
        expect(average(healthy)).toBeLessThan(target);
        await delay(2_000);
      }
      expect((await wantedReplicas()).map(Number)).toEqual([2]);
      const report = await crowd.end();
      console.log(`beside 40 stuck ones: ${JSON.stringify(report)}`);
      expect(report).toMatchObject({ lost: 0, doubled: 0, gaps: 0, breaks: 0 });
    },
    6 * minutes,
  );

  it.skipIf(whyNotOnNode !== '')(
    `do not fill a shard's memory, as many as it takes (case E7)${whyNotOnNode}`,
    async () => {
      const capacity = scale(400, 2_000);
      const [hardBytes, wmem] = [524_288, 131_072];
      const limitMiB = Math.ceil((capacity * (hardBytes + wmem)) / 1_048_576) + 512;
      await install({
        'pools.mobile.capacity': String(capacity),
        // More than the clients' side can hold, so that the shard's sockets are full too.
        'pools.mobile.hardBytes': String(hardBytes),
        'pools.mobile.minReplicas': '1',
        'pools.mobile.maxReplicas': '1',
        'pools.mobile.resources.limits.memory': `${limitMiB}Mi`,
        // Otherwise the shard evicts them before they have reached their limit.
        'pools.mobile.settings.WEIR_LAG_MS': '600000',
      });
      const url = await release.routerUrl();
      const publisher = await release.publisher();
      stuck = new StuckClients(`${url}/v1/connect?channels=full&class=mobile`);
      await stuck.join(capacity);
      // Critical messages also go to clients that lag: send just less than evicts a client.
      for (let sent = 0; sent < 60; sent++) {
        await publisher.publish([{ lane: 'critical', channel: 'full', data: 'x'.repeat(8_000) }]);
        await delay(200);
      }
      const [pod] = await release.shards('mobile');
      const name = pod?.name ?? '';
      const backlogOf = async (): Promise<number> => value('weir_shard_backlog_bytes', await metricsOf(name));
      await until(async () => (await backlogOf()) > capacity * 450_000, 'everybody is nearly full');
      const resident = value('process_resident_memory_bytes', await metricsOf(name));
      const sockets = await socketBytes(pod === undefined ? '' : await processOf(pod));
      console.log(
        `${capacity} stuck clients: backlog ${mib(await backlogOf())}, process ${mib(resident)}, sockets ${mib(sockets)}, limit ${limitMiB} MiB`,
      );
      expect(value('weir_shard_connections', await metricsOf(name))).toBe(capacity);
      expect(sockets).toBeLessThanOrEqual(capacity * wmem);
      expect(resident + sockets).toBeLessThan(limitMiB * 1_048_576);
      const [now] = await release.shards('mobile');
      expect(now?.list('status.containerStatuses')[0]?.at('restartCount')).toBe(0);
    },
    6 * minutes,
  );

  async function metricsOf(pod: string): Promise<string> {
    return kubectl('get', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:9090/proxy/metrics`);
  }

  /** The values that the HPA of the mobile pool reads. */
  async function readings(metric: string): Promise<readonly number[]> {
    const selector = encodeURIComponent('weir.dev/pool=mobile');
    const text = await kubectl('get', '--raw', `${group}/${metric}?labelSelector=${selector}`);
    const { items } = JSON.parse(text) as { readonly items: readonly { readonly value: string }[] };
    return items.map((item) => Number(item.value.replace(/m$/, 'e-3')));
  }

  async function wantedReplicas(): Promise<readonly unknown[]> {
    const deployments = await get('deployments', namespace, 'weir.dev/pool=mobile');
    return deployments.map((deployment) => deployment.at('spec.replicas'));
  }
});

/** The expression of an alert in the chart's PrometheusRule. */
function alertNamed(name: string): string {
  const { objects } = render({ monitoring: { prometheusRule: true } });
  const rules = objects.find(({ kind }) => kind === 'PrometheusRule')?.list('spec.groups')[0];
  return (
    rules
      ?.list('rules')
      .find((rule) => rule.at('alert') === name)
      ?.text('expr') ?? ''
  );
}

/** Memory that the kernel holds for the sockets of a pod. */
async function socketBytes(pid: string): Promise<number> {
  const text = await onNode('nsenter', '-t', pid, '--net', 'ss', '-tmnH');
  return [...text.matchAll(/skmem:\(r(\d+),rb\d+,t(\d+),tb\d+,f(\d+),w(\d+)/g)].reduce(
    (sum, [, r, , , w]) => sum + Number(r) + Number(w),
    0,
  );
}

function average(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length);
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}
