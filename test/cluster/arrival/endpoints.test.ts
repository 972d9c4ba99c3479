// What a real router does with EndpointSlices: it sends no client to a pod that is being deleted, even if its shard
// still beats as usual, and a wrong selector does not close the cluster.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRouter } from '../../harness/bare-client.ts';
import { FakeApiServer } from '../../harness/fake-api-server.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const slices = '/apis/discovery.k8s.io/v1/namespaces/weir/endpointslices';

let api: FakeApiServer;
let cluster: SmallCluster;
const shards = new Map<string, string>();

/** Writes EndpointSlices with these conditions for the two shards. */
function say(conditions: Readonly<Record<string, object>>): void {
  const endpoints = Object.entries(conditions).map(([name, of]) => ({
    addresses: ['10.0.0.1'],
    conditions: of,
    targetRef: { kind: 'Pod', name, uid: `uid-${name}` },
  }));
  const labels = { 'app.kubernetes.io/component': 'shard' };
  api.put(`${slices}/desktop-1`, { metadata: { name: 'desktop-1', labels }, addressType: 'IPv4', endpoints });
}

/** The shards to which the router sends 12 clients. */
async function sentTo(): Promise<readonly string[]> {
  const found = new Set<string>();
  for (let client = 0; client < 12; client += 1) {
    const { url } = await askRouter(`${cluster.routerUrl}/v1/connect?channels=lobby&class=desktop`);
    const { origin } = new URL(String(url));
    found.add([...shards].find(([, one]) => new URL(one).origin === origin)?.[0] ?? origin);
  }
  return [...found].toSorted();
}

beforeAll(async () => {
  api = await FakeApiServer.start();
  say({ d1: { ready: true, serving: true }, d2: { ready: true, serving: true } });
  cluster = await SmallCluster.start(
    {},
    {
      WEIR_KUBERNETES: 'kubeconfig',
      WEIR_KUBECONFIG: api.kubeconfig,
      WEIR_NAMESPACE: 'weir',
      WEIR_PROBE_DEADLINE_MS: '300',
    },
  );
  for (const id of ['d1', 'd2']) shards.set(id, (await cluster.shard('desktop', id)).url);
});
afterAll(async () => {
  await cluster?.stop();
  await api?.stop();
});

const becomes = (...expected: readonly string[]): Promise<void> =>
  until(async () => JSON.stringify(await sentTo()) === JSON.stringify(expected), `clients go to ${expected}`);

describe('endpoints', () => {
  it('exclude a shard whose pod is being deleted or does not serve', async () => {
    await becomes('d1', 'd2');
    say({ d1: { ready: false, serving: true, terminating: true }, d2: { ready: true } });
    await becomes('d2');
    say({ d1: { ready: true }, d2: { ready: false, serving: false } });
    await becomes('d1');
    say({ d1: { ready: true }, d2: { ready: true } });
    await becomes('d1', 'd2');
  });

  it('do not exclude the last shard', async () => {
    say({});
    await until(async () => (await fetch(`${cluster.router.admin}/readyz`)).ok, 'the router is ready');
    await becomes('d1', 'd2');
  });

  it('are optional: without the API server, beats decide alone', async () => {
    await api.goAway();
    await becomes('d1', 'd2');
    expect(cluster.router.process.exitCode).toBeNull();
  });
});
