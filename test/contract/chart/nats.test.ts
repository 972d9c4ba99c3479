// Three replicas of NATS on three nodes are replaced one at a time, each after the one before has all streams.
import { describe, expect, it } from 'vitest';
import type { Kubernetes } from './render.ts';
import { helms, render } from './render.ts';

describe.skipIf(helms.length === 0)('NATS in the chart (skipped: helm is not on the PATH)', () => {
  const three = { nats: { replicas: 3 } };

  it.each([{}, three])(
    'is ready when its streams have caught up, and stays alive before that: %j',
    (values) => {
      const [container] = statefulSet(values)?.podSpec?.list('containers') ?? [];
      expect(container?.at('startupProbe.httpGet.path')).toBe('/healthz');
      expect(container?.at('readinessProbe.httpGet.path')).toBe('/healthz');
      expect(container?.at('livenessProbe.httpGet.path')).toBe('/healthz?js-enabled-only=true');
      const patience = Number(container?.at('startupProbe.failureThreshold'));
      expect(patience * Number(container?.at('startupProbe.periodSeconds'))).toBeGreaterThanOrEqual(1_800);
    },
  );

  it('hands over its leaderships before it ends, with time to do so, if it has peers', () => {
    const set = statefulSet(three);
    const [container] = set?.podSpec?.list('containers') ?? [];
    expect(container?.at('lifecycle.preStop.exec.command')).toEqual(['nats-server', '--signal', 'ldm=1']);
    const config = render(three).objects.find(
      ({ kind, name }) => kind === 'ConfigMap' && name === 'weir-nats',
    );
    const seconds = Number(/lame_duck_duration: (\d+)s/.exec(config?.text('data.nats\\.conf') ?? '')?.[1]);
    expect(Number(set?.podSpec?.at('terminationGracePeriodSeconds'))).toBeGreaterThan(seconds + 10);
    const [alone] = statefulSet({})?.podSpec?.list('containers') ?? [];
    expect(alone?.at('lifecycle')).toBeUndefined();
  });

  it('has its three replicas on three nodes, unless the values say otherwise', () => {
    const rule = (values: unknown): unknown =>
      statefulSet(values)
        ?.podSpec?.list('topologySpreadConstraints')
        .find((one) => one.at('topologyKey') === 'kubernetes.io/hostname')?.whole;
    expect(rule(three)).toMatchObject({ maxSkew: 1, minDomains: 3, whenUnsatisfiable: 'DoNotSchedule' });
    const loose = rule({ nats: { replicas: 3, spread: 'ScheduleAnyway' } });
    expect(loose).toMatchObject({ whenUnsatisfiable: 'ScheduleAnyway' });
    expect(loose).not.toHaveProperty('minDomains');
    expect(rule({})).toMatchObject({ whenUnsatisfiable: 'ScheduleAnyway' });
  });

  it('loses one replica at a time to node drains, even while another catches up', () => {
    const budget = render(three).objects.find(
      ({ kind, name }) => kind === 'PodDisruptionBudget' && name === 'weir-nats',
    );
    expect(budget?.at('spec.maxUnavailable')).toBe(1);
    expect(budget?.at('spec.unhealthyPodEvictionPolicy')).toBe('IfHealthyBudget');
  });
});

function statefulSet(values: unknown): Kubernetes | undefined {
  return render(values).objects.find(({ kind }) => kind === 'StatefulSet');
}
