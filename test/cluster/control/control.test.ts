// Control as a process, with real shards, a real NATS server, real HTTPS, and an API server with only the parts that
// control uses. Cases H8, H9.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { end } from '../../harness/end.ts';
import { FakeApiServer } from '../../harness/fake-api-server.ts';
import { freePort } from '../../harness/free-port.ts';
import type { ClientCertificate, FrontProxyAuthority } from '../../harness/front-proxy.ts';
import { ask, makeFrontProxy } from '../../harness/front-proxy.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const namespace = 'weir';
const pods = `/api/v1/namespaces/${namespace}/pods`;
const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/weir-control`;
const secret = `/api/v1/namespaces/${namespace}/secrets/weir-control-tls`;
const apiService = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta2.custom.metrics.k8s.io';
const authentication = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
const base = '/apis/custom.metrics.k8s.io/v1beta2';
const connections = `${base}/namespaces/${namespace}/pods/%2A/weir_shard_connections`;
const user = { 'x-remote-user': 'system:serviceaccount:kube-system:horizontal-pod-autoscaler' };

let api: FakeApiServer;
let cluster: SmallCluster;
let control: Service;
let proxy: FrontProxyAuthority;
let aggregator: ClientCertificate;

function putPod(name: string, pool: string): void {
  const labels = { 'weir.dev/pool': pool, 'app.kubernetes.io/component': 'shard' };
  api.put(`${pods}/${name}`, {
    metadata: { name, uid: `uid-${name}`, labels },
    status: { phase: 'Running' },
  });
}

const startControl = (env: Readonly<Record<string, string>> = {}): Promise<Service> =>
  cluster.control({
    WEIR_KUBERNETES: 'kubeconfig',
    WEIR_KUBECONFIG: api.kubeconfig,
    WEIR_NAMESPACE: namespace,
    WEIR_TLS_SECRET: 'weir-control-tls',
    ...env,
  });

async function values(query = ''): Promise<unknown> {
  const { status, body } = await ask(`${control.url}${connections}${query}`, {
    client: aggregator,
    headers: user,
  });
  if (status !== 200) return status;
  const { items } = JSON.parse(body) as { items: { describedObject: { name: string }; value: string }[] };
  return Object.fromEntries(items.map(({ describedObject, value }) => [describedObject.name, value]));
}

const isReleased = ({ spec }: Readonly<Record<string, unknown>>): boolean =>
  Object(spec).holderIdentity === '';

async function isLeading(service: Service): Promise<boolean> {
  return (await (await fetch(`${service.admin}/readyz`)).text()).includes('"leading":true');
}

beforeAll(async () => {
  api = await FakeApiServer.start();
  proxy = await makeFrontProxy();
  aggregator = await proxy.client('front-proxy-client');
  api.put(authentication, {
    data: {
      'requestheader-client-ca-file': proxy.certificate,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    },
  });
  api.put(secret, { metadata: { name: 'weir-control-tls', namespace }, type: 'Opaque' });
  const service = { name: 'weir-control', namespace, port: 443 };
  api.put(apiService, { metadata: { name: 'v1beta2.custom.metrics.k8s.io' }, spec: { service } });
  putPod('d1', 'desktop');
  putPod('m1', 'mobile');
  cluster = await SmallCluster.start();
  await cluster.shard('desktop', 'd1');
  await cluster.shard('mobile', 'm1');
  control = await startControl();
  await until(async () => (await fetch(`${control.admin}/readyz`)).ok, 'control is ready');
  await until(async () => Object.keys(Object(await values())).length === 2, 'control knows pods and shards');
});
afterAll(async () => {
  await cluster?.stop();
  await api?.stop();
});

describe('the metrics API', () => {
  it('reports the load of live pods only, by label', async () => {
    expect(await values()).toEqual({ d1: '0', m1: '0' });
    expect(await values('?labelSelector=weir.dev%2Fpool%3Ddesktop')).toEqual({ d1: '0' });
    putPod('d2', 'desktop');
    await until(
      async () => Object.keys(Object(await values())).length === 3,
      'a pod that starts counts with 0',
    );
    api.delete(`${pods}/d2`);
    await until(async () => Object.keys(Object(await values())).length === 2, 'a pod that is gone does not');
  });

  it('shows the certificate that it has put into the APIService', async () => {
    await until(() => JSON.stringify(api.get(apiService)).includes('caBundle'), 'the caBundle is written');
    const spec = Object(api.get(apiService)?.['spec']) as { caBundle: string };
    const ca = Buffer.from(spec.caBundle, 'base64').toString();
    const servername = `weir-control.${namespace}.svc`;
    const server = { ca, servername };
    expect((await ask(`${control.url}${base}`, { client: aggregator, headers: user, server })).status).toBe(
      200,
    );
  });

  it('answers only the front proxy, whatever the headers say (case H8)', async () => {
    const stranger = await (await makeFrontProxy()).client('front-proxy-client');
    const other = await proxy.client('somebody-else');
    const status = async (client: ClientCertificate | undefined, headers = {}): Promise<number> =>
      (await ask(`${control.url}${connections}`, { ...(client === undefined ? {} : { client }), headers }))
        .status;
    expect(await status(undefined)).toBe(401);
    expect(await status(undefined, { ...user, 'x-remote-group': 'system:masters' })).toBe(401);
    expect(await status(stranger, user)).toBe(401);
    expect(await status(other, user)).toBe(403);
    expect(await status(aggregator)).toBe(401);
    expect(await status(aggregator, user)).toBe(200);
    const { body, headers } = await ask(`${control.url}${base}`);
    expect([JSON.parse(body), headers.connection]).toMatchObject([{ kind: 'Status', code: 401 }, 'close']);
  });

  it('reports no values while NATS is away, and stays ready', async () => {
    await cluster.nats.kill('SIGKILL');
    await until(async () => (await values()) === 503, 'the metrics are stale');
    expect((await fetch(`${control.admin}/readyz`)).status).toBe(200);
    expect((await ask(`${control.url}${base}`, { client: aggregator, headers: user })).status).toBe(200);
    await cluster.nats.restart();
    await until(async () => typeof (await values()) === 'object', 'the metrics are back');
  });
});

describe('the API server', () => {
  it('may vanish, restart, forget versions, accept another token: the view recovers (case H9)', async () => {
    const has = async (...names: readonly string[]): Promise<void> =>
      until(
        async () => JSON.stringify(Object.keys(Object(await values()))) === JSON.stringify(names),
        `the pods are ${names.join(', ')}`,
        30_000,
      );
    await api.goAway();
    api.delete(`${pods}/m1`);
    await api.comeBack();
    await has('d1');
    api.expire();
    putPod('m1', 'mobile');
    await has('d1', 'm1');
    await api.writeToken('second');
    api.token = 'second';
    await api.goAway();
    api.delete(`${pods}/m1`);
    await api.comeBack();
    await has('d1');
    expect(control.process.exitCode).toBeNull();
  });

  it('gets at most one request a second over any five seconds', () => {
    const times = api.asked.filter(({ what }) => what.includes('/pods')).map(({ atMs }) => atMs);
    const busiest = times.map(
      (fromMs) => times.filter((atMs) => atMs >= fromMs && atMs < fromMs + 5_000).length,
    );
    expect(Math.max(...busiest)).toBeLessThanOrEqual(6);
  });
});

describe('two controls', () => {
  it('agree on one certificate and one leader, and the other one takes over', async () => {
    await until(() => isLeading(control), 'the first leads');
    const before = JSON.stringify(api.get(secret));
    const second = await startControl();
    await until(async () => (await fetch(`${second.admin}/readyz`)).ok, 'the second is ready');
    expect(JSON.stringify(api.get(secret))).toBe(before);
    expect([await isLeading(control), await isLeading(second)]).toEqual([true, false]);
    const written = api.history(lease).length;
    const code = await end(control.process, 'SIGTERM');
    expect(code).toBe(0);
    // The second one may have it already.
    expect(api.history(lease).slice(written).some(isReleased)).toBe(true);
    await until(() => isLeading(second), 'the second leads');
  });
});

it('shows in its console what an autoscaler sees, wants, and why it holds', async () => {
  const scalers = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
  const metricName = { name: 'weir_shard_connections' };
  const hold = {
    reason: 'ScaleDownStabilized',
    message: 'recent recommendations were higher than current one',
  };
  api.put(`${scalers}/weir-shard-desktop`, {
    metadata: { name: 'weir-shard-desktop', namespace, labels: { 'weir.dev/pool': 'desktop' } },
    spec: {
      minReplicas: 2,
      maxReplicas: 10,
      metrics: [{ type: 'Pods', pods: { metric: metricName, target: { averageValue: '3k' } } }],
    },
    status: {
      currentReplicas: 3,
      desiredReplicas: 3,
      currentMetrics: [{ type: 'Pods', pods: { metric: metricName, current: { averageValue: '1200' } } }],
      conditions: [{ type: 'AbleToScale', status: 'True', ...hold }],
    },
  });
  const port = await freePort();
  const other = await startControl({
    WEIR_CONSOLE: 'true',
    WEIR_CONSOLE_PORT: port,
    WEIR_CONSOLE_EVERY_MS: '500',
  });
  let shown: unknown;
  await until(async () => {
    const view: unknown = await (await fetch(`http://127.0.0.1:${port}/api/view`)).json();
    [shown] = (view as { scalers?: unknown[] }).scalers ?? [];
    return shown !== undefined;
  }, 'the console shows the autoscaler');
  expect(shown).toMatchObject({
    pool: 'desktop',
    current: 3,
    wanted: 3,
    metrics: [{ name: 'weir_shard_connections', sees: '1200', target: '3k' }],
    why: ['ScaleDownStabilized: recent recommendations were higher than current one'],
  });
  await end(other.process, 'SIGKILL');
});
