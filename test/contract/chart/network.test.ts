// Which pods can reach which: NetworkPolicies, NodePorts, and that `helm test` enters by the clients' front door.
import { describe, expect, it } from 'vitest';
import type { Kubernetes } from './render.ts';
import { helms, render } from './render.ts';

describe.skipIf(helms.length === 0)('the network (skipped: helm is not on the PATH)', () => {
  it.each([
    [{}, 'ws://weir-router:80'],
    [{ service: { port: 8080 } }, 'ws://weir-router:8080'],
    [{ edge: { enabled: true }, publicUrl: 'wss://w.example' }, 'ws://weir:80'],
    [
      { edge: { enabled: true }, publicUrl: 'wss://w.example/live/', service: { port: 81 } },
      'ws://weir:81/live',
    ],
  ])('sends helm test through the front door: %j', (values, url) => {
    const { objects } = render(values);
    const test = objects.find(({ kind, name }) => kind === 'Pod' && name === 'weir-test');
    const [container] = test?.podSpec?.list('containers') ?? [];
    const router = container?.list('env').find((one) => one.at('name') === 'ROUTER');
    expect(router?.at('value')).toBe(url);
    const [, host = '', port] = /^ws:\/\/([^:]+):(\d+)/.exec(url) ?? [];
    const door = objects.find(({ kind, name }) => kind === 'Service' && name === host);
    expect(door?.list('spec.ports')[0]?.at('port')).toBe(Number(port));
  });

  it("gives the edge a NodePort other than the router's, which stays taken while Helm creates the edge's Service", () => {
    const [router, edge] = [false, true].map((enabled) =>
      render({ edge: { enabled } })
        .objects.filter(({ kind }) => kind === 'Service')
        .flatMap((service) => service.list('spec.ports').map((port) => Number(port.at('nodePort') ?? 0)))
        .filter((port) => port > 0),
    );
    expect(router).toHaveLength(1);
    expect(edge).toHaveLength(1);
    expect(edge).not.toEqual(router);
    // The part of the range that Kubernetes does not assign by itself.
    for (const port of [...(router ?? []), ...(edge ?? [])]) {
      expect(port).toBeGreaterThanOrEqual(30_000);
      expect(port).toBeLessThanOrEqual(30_085);
    }
  });

  it('routes to shards behind the edge below the path of the public URL', () => {
    const { objects } = render({ edge: { enabled: true }, publicUrl: 'wss://w.example/live.1/' });
    const config = objects.find(({ kind, name }) => kind === 'ConfigMap' && name === 'weir-edge');
    expect(config?.text('data.nginx\\.conf')).toContain('location ~ ^/live\\.1/s/([0-9]+)');
  });

  it('lets only the edge reach routers and shards behind it, not even helm test', () => {
    for (const component of ['router', 'shard']) {
      const [clients] = policy({ edge: { enabled: true } }, component)?.list('spec.ingress') ?? [];
      const [from] = clients?.list('from') ?? [];
      const who = from
        ?.list('podSelector.matchExpressions')
        .find((one) => one.text('key').endsWith('component'));
      expect(who?.at('values')).toEqual(['edge']);
    }
  });

  it('lets every component resolve names, at ports 53 and 5353', () => {
    for (const component of ['router', 'shard', 'publisher', 'control', 'nats'])
      for (const port of [53, 5353])
        for (const protocol of ['UDP', 'TCP']) {
          const [names] = policy({}, component)?.list('spec.egress') ?? [];
          expect(names?.at('ports'), component).toContainEqual({ port, protocol });
        }
    expect(calls({ networkPolicy: { dnsPorts: [54] } }, 'shard')).toContain(54);
  });

  it('lets control and a watching router reach API servers at their usual ports', () => {
    for (const component of ['router', 'control'])
      for (const port of [443, 6443, 8443, 16443]) expect(calls({}, component)).toContain(port);
    expect(calls({ networkPolicy: { apiServerPorts: [7443] } }, 'control')).toContain(7443);
    expect(
      calls({ control: { settings: { WEIR_API_SERVER: 'https://api.example:9443' } } }, 'control'),
    ).toContain(9443);
    expect(calls({ router: { discovery: false } }, 'router')).not.toContain(6443);
    for (const component of ['shard', 'publisher']) expect(calls({}, component)).not.toContain(443);
  });

  it.each([
    ['https://id.example/keys', 443],
    ['http://id.example/keys', 80],
    ['https://id.example:9443/keys', 9443],
    ['http://keys.auth.svc:8080', 8080],
  ])('lets the router reach the key server: %s', (jwksUrl, port) => {
    const values = { router: { discovery: false }, auth: { mode: 'jwt', jwksUrl } };
    expect(calls(values, 'router')).toContain(port);
    expect(calls(values, 'shard')).not.toContain(port);
  });

  it('lets every component reach an external NATS, and further ports behind Services', () => {
    const values = {
      nats: { url: 'nats://a.example:4333,tls://b.example' },
      networkPolicy: { furtherPorts: [14_222] },
    };
    for (const component of ['router', 'shard', 'publisher', 'control'])
      expect(calls(values, component)).toEqual(expect.arrayContaining([4333, 4222, 14_222]));
  });

  it('lets only the named namespaces open the console, by a name in the cluster alone', () => {
    const opens = (values: unknown): readonly unknown[] =>
      policy(values, 'control')
        ?.list('spec.ingress')
        .filter((rule) => rule.list('ports').some((port) => port.at('port') === 7704))
        .map((rule) => rule.at('from')) ?? [];
    const monitoring = { matchLabels: { team: 'ops' } };
    expect(opens({})).toEqual([]);
    expect(opens({ console: { enabled: true } })).toEqual([]);
    expect(opens({ networkPolicy: { consoleFrom: [monitoring] } })).toEqual([]);
    expect(opens({ console: { enabled: true }, networkPolicy: { consoleFrom: [monitoring] } })).toEqual([
      [{ namespaceSelector: monitoring }],
    ]);
    const consoleService = (values: unknown): Kubernetes | undefined =>
      render(values).objects.find(({ kind, name }) => kind === 'Service' && name === 'weir-console');
    expect(consoleService({})).toBeUndefined();
    expect(consoleService({ console: { enabled: true } })?.text('spec.type')).toBe('ClusterIP');
  });

  it('lets the console answer by the names of its Service, and by those that the values list', () => {
    const hostsOf = (values: object): unknown =>
      render({ clusterDomain: 'cluster.example', console: { enabled: true, ...values } })
        .objects.find(({ kind, name }) => kind === 'Deployment' && name === 'weir-control')
        ?.list('spec.template.spec.containers')
        .flatMap((container) => container.list('env'))
        .find((one) => one.at('name') === 'WEIR_CONSOLE_ALLOWED_HOSTS')
        ?.at('value');
    const own = 'weir-console,weir-console.live.svc,weir-console.live.svc.cluster.example';
    expect(hostsOf({})).toBe(own);
    expect(hostsOf({ allowedHosts: ['console.example.com', '.ops.example'] })).toBe(
      `${own},console.example.com,.ops.example`,
    );
  });

  it("lets KEDA's operator read the metrics of shards if KEDA scales them", () => {
    const reads = (values: unknown, component: string): boolean =>
      JSON.stringify(policy(values, component)?.at('spec.ingress')).includes(
        '"kubernetes.io/metadata.name":"keda"',
      );
    expect(reads({ autoscaling: { source: 'keda' } }, 'shard')).toBe(true);
    expect(reads({ autoscaling: { source: 'keda' } }, 'router')).toBe(false);
    expect(reads({}, 'shard')).toBe(false);
    const values = { autoscaling: { source: 'keda' }, networkPolicy: { kedaNamespace: 'scaling' } };
    expect(JSON.stringify(policy(values, 'shard')?.at('spec.ingress'))).toContain('scaling');
  });
});

function policy(values: unknown, component: string): Kubernetes | undefined {
  const { objects, refusal } = render(values);
  expect(refusal).toBe('');
  return objects.find(({ kind, name }) => kind === 'NetworkPolicy' && name === `weir-${component}`);
}

/** The ports that pods of this component may reach. */
function calls(values: unknown, component: string): readonly number[] {
  const rules = policy(values, component)?.list('spec.egress') ?? [];
  return rules.flatMap((rule) => rule.list('ports').map((one) => Number(one.at('port'))));
}
