// The chart's output for every file of charts/weir/ci: pods that Pod Security `restricted` accepts, settings that the
// services accept, Services that find their pods, HPAs without contradiction.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configProblems, environment, isBuilt } from './environment.ts';
import { ciValues, helms, Kubernetes, render, root } from './render.ts';

const every = [...ciValues];

describe.skipIf(helms.length === 0)('charts/weir gives (skipped: helm is not on the PATH)', () => {
  it.each(every)('the same objects with every Helm: %s', (_, values) => {
    const [first, ...others] = helms.map((helm) => withoutKeys(render(values, { helm }).objects));
    expect(first?.length).toBeGreaterThan(0);
    for (const other of others) expect(other).toEqual(first);
  });

  it.each(every)('pods that Pod Security restricted accepts: %s', (_, values) => {
    for (const { name, podSpec } of pods(values)) {
      expect(podSpec.at('securityContext.runAsNonRoot'), name).toBe(true);
      expect(podSpec.at('securityContext.seccompProfile.type'), name).toBe('RuntimeDefault');
      expect(podSpec.at('hostNetwork'), name).toBeUndefined();
      for (const container of podSpec.list('containers')) {
        expect(container.at('securityContext'), name).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.list('ports').some((port) => port.at('hostPort') !== undefined)).toBe(false);
      }
    }
  });

  it.each(every)('no token to pods that do not call the API server: %s', (_, values) => {
    for (const { name, podSpec } of pods(values))
      expect(podSpec.at('automountServiceAccountToken'), name).toBe(/-(control|router)$/.test(name));
  });

  it.each(every)('settings that the services accept: %s', (_, values) => {
    for (const { podSpec } of pods(values)) {
      for (const container of podSpec.list('containers')) {
        const name = container.text('name');
        if (!isBuilt(name)) continue;
        expect(new Set(namesOf(container)).size, `${name}: a variable that is there twice`).toBe(
          namesOf(container).length,
        );
        expect(configProblems(name, environment(container))).toBe('');
      }
    }
  });

  it.each(every)('Services that find their pods, at ports that the pods have: %s', (_, values) => {
    const { objects } = render(values);
    for (const service of objects.filter(({ kind }) => kind === 'Service')) {
      const found = workloads(objects).filter((one) => selects(service.at('spec.selector'), labelsOf(one)));
      expect(found.length, service.name).toBeGreaterThan(0);
      for (const workload of found) {
        const names = workload.podSpec
          ?.list('containers')
          .flatMap((one) => one.list('ports').map((p) => p.at('name')));
        for (const port of service.list('spec.ports')) expect(names).toContain(port.at('targetPort'));
      }
    }
  });

  it.each(every)(
    'workloads whose selectors match only their own pods, so that each HPA counts its own: %s',
    (_, values) => {
      const all = workloads(render(values).objects);
      for (const workload of all) {
        const found = all.filter((one) => selects(workload.at('spec.selector.matchLabels'), labelsOf(one)));
        expect(found.map(({ name }) => name)).toEqual([workload.name]);
      }
    },
  );

  it.each(every)('pods that stay the same if only the version of the chart changes: %s', (_, values) => {
    for (const workload of workloads(render(values).objects))
      expect(Object.keys(labelsOf(workload))).not.toContain('helm.sh/chart');
  });

  it('no number of replicas beside an HPA (case H2), and one if nothing scales', () => {
    const replicas = (values: unknown): readonly unknown[] =>
      shards(render(values).objects).map((shard) => shard.at('spec.replicas'));
    for (const source of ['builtin', 'keda', 'prometheusAdapter'])
      expect(replicas({ autoscaling: { source } })).toEqual([undefined, undefined]);
    expect(replicas({ autoscaling: { source: 'none' } })).toEqual([2, 2]);
  });

  it('one drain at a time, and pods with enough time for it', () => {
    const drain = { graceMs: 60_000, windowMs: 200_000, withinMs: 30_000 };
    const { objects } = render({ pools: { desktop: { drain } } });
    const [desktop] = shards(objects).filter(({ name }) => /desktop/.test(name));
    const grace = Number(desktop?.at('spec.template.spec.terminationGracePeriodSeconds'));
    const container = desktop?.podSpec?.list('containers')[0];
    const deadlineMs = Number(environment(container ?? new Kubernetes({}))['WEIR_SHUTDOWN_DEADLINE_MS']);
    expect(deadlineMs).toBeGreaterThanOrEqual(60_000 + 200_000 + 30_000 + 3_000);
    expect(grace).toBeGreaterThan(
      deadlineMs / 1000 + Number(container?.at('lifecycle.preStop.sleep.seconds')),
    );
    const hpa = objects.find(({ kind, name }) => kind === 'HorizontalPodAutoscaler' && /desktop/.test(name));
    const [policy] = hpa?.list('spec.behavior.scaleDown.policies') ?? [];
    expect(policy?.at('value')).toBe(1);
    expect(Number(policy?.at('periodSeconds'))).toBeGreaterThanOrEqual(grace);
  });

  it('the sysctls that the cluster lets pods set', () => {
    const sysctls = (kube: string): readonly unknown[] =>
      shards(render({}, { kube }).objects).map(
        (shard) => shard.podSpec?.list('securityContext.sysctls').map((one) => one.at('name')) ?? [],
      );
    const wmem = 'net.ipv4.tcp_wmem';
    const lowat = 'net.ipv4.tcp_notsent_lowat';
    expect(sysctls('1.31.9')).toEqual([[], []]);
    expect(sysctls('1.34.0')).toEqual([[wmem], [wmem]]);
    expect(sysctls('1.37.1')).toEqual([
      [wmem, lowat],
      [wmem, lowat],
    ]);
  });

  it.each([
    [{}, '1'],
    [{ resources: { limits: { cpu: 4, memory: '4Gi' } } }, '3'],
    [{ resources: { limits: { cpu: '2500m', memory: '4Gi' } } }, '1'],
    [{ resources: { limits: { cpu: '500m', memory: '4Gi' } } }, '1'],
    [{ resources: { requests: { cpu: '8' } } }, '7'],
    [{ resources: { requests: { cpu: '8' }, limits: { cpu: '3', memory: '4Gi' } } }, '2'],
    [{ resources: { limits: { cpu: 128, memory: '4Gi' } } }, '64'],
    [{ threads: 5, resources: { limits: { cpu: '2', memory: '4Gi' } } }, '5'],
  ])('as many threads as its CPU feeds: %j', (desktop, threads) => {
    const [shard] = shards(render({ pools: { desktop } }).objects).filter(({ name }) => /desktop/.test(name));
    const [container] = shard?.podSpec?.list('containers') ?? [];
    expect(environment(container ?? new Kubernetes({}))['WEIR_THREADS']).toBe(threads);
  });

  it('a third pool from a few lines, in its order', () => {
    const { objects } = render({ pools: { tablet: { order: 50 } } });
    expect(shards(objects).length).toBe(3);
    const router = objects.find(({ kind, name }) => kind === 'Deployment' && name === 'weir-router');
    const [container] = router?.podSpec?.list('containers') ?? [];
    expect(environment(container ?? new Kubernetes({}))['WEIR_POOLS']).toBe('mobile,tablet,desktop');
  });

  it.each(['a'.repeat(53), '1234567890', 'weir.live.2', `9${'-x'.repeat(25)}`])(
    'names that Kubernetes takes, whatever the release is called: %s',
    (release) => {
      const { objects, refusal } = render({ edge: { enabled: true } }, { release });
      expect(refusal).toBe('');
      for (const { kind, name } of objects) {
        if (kind === 'APIService') continue;
        const longest = /Service|Deployment|StatefulSet/.test(kind) ? 63 : 253;
        expect(name.length, `${kind} ${name}`).toBeLessThanOrEqual(longest);
        expect(name, kind).toMatch(
          kind === 'Service' ? /^[a-z][a-z0-9-]*[a-z0-9]$/ : /^[a-z0-9][a-z0-9-]*[a-z0-9]$/,
        );
      }
    },
  );

  it('the images that `npm run images` builds', () => {
    const names = readFileSync(`${root}scripts/images/names.mjs`, 'utf8');
    const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
    const constant = (name: string): string => new RegExp(`${name} = '(.*)'`).exec(names)?.[1] ?? '';
    const made = ['router', 'shard', 'publisher', 'control'].map(
      (service) => `${constant('DEFAULT_REGISTRY')}/${service}:${version}`,
    );
    const known = [...made, constant('NATS_IMAGE'), constant('EDGE_IMAGE')];
    for (const { podSpec } of pods({ edge: { enabled: true } }))
      for (const container of podSpec.list('containers')) expect(known).toContain(container.at('image'));
  });

  it('the same as the plain manifests of k8s/base', () => {
    const script = `${root}scripts/chart/manifests.mjs`;
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

interface Pod {
  readonly name: string;
  readonly podSpec: Kubernetes;
}

function pods(values: unknown): readonly Pod[] {
  const { objects, refusal } = render(values);
  expect(refusal).toBe('');
  return objects.flatMap(({ name, podSpec }) => (podSpec === undefined ? [] : [{ name, podSpec }]));
}

function workloads(objects: readonly Kubernetes[]): readonly Kubernetes[] {
  return objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
}

function shards(objects: readonly Kubernetes[]): readonly Kubernetes[] {
  return objects.filter(({ kind, name }) => kind === 'Deployment' && /-shard-/.test(name));
}

function labelsOf(workload: Kubernetes): Readonly<Record<string, unknown>> {
  const labels = workload.at('spec.template.metadata.labels');
  return typeof labels === 'object' && labels !== null ? Object.fromEntries(Object.entries(labels)) : {};
}

function selects(selector: unknown, labels: Readonly<Record<string, unknown>>): boolean {
  if (typeof selector !== 'object' || selector === null) return false;
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function namesOf(container: Kubernetes): readonly string[] {
  return container.list('env').map((one) => one.text('name'));
}

/** Without Secrets: generated keys differ in each rendering. */
function withoutKeys(objects: readonly Kubernetes[]): readonly unknown[] {
  return objects.filter(({ kind }) => kind !== 'Secret').map(({ whole }) => whole);
}
