// The targets of an HPA or a ScaledObject: 0, "" and null each switch one off.
import { describe, expect, it } from 'vitest';
import { helms, render } from './render.ts';

const METRICS = {
  connectionsRatio: ['weir_shard_connections', 0.5, '2000'],
  awaitedBytes: ['weir_shard_awaited_bytes', '32Mi', '32Mi'],
  healthyBacklogBytes: ['weir_shard_healthy_backlog_bytes', '64Mi', '64Mi'],
  eventLoopUtilization: ['weir_shard_event_loop_utilization', '600m', '600m'],
  egressBytesPerSecond: ['weir_shard_egress_bytes_per_second', 8_388_608, '8388608'],
  tickLatenessSeconds: ['weir_shard_tick_lateness_seconds', 0.25, '0.25'],
} as const;
const ALL = Object.fromEntries(Object.entries(METRICS).map(([name, [, value]]) => [name, value]));
const OFF: readonly unknown[] = [0, '0', '0.0', '', null];

describe.skipIf(helms.length === 0)('targets (skipped: helm is not on the PATH)', () => {
  it('have the values that were given', () => {
    const wanted = Object.values(METRICS).map(([metric, , text]) => [metric, text]);
    expect(targetsOf({ poolDefaults: { targets: ALL } })).toEqual(wanted);
    expect(targetsOf({ pools: { desktop: { targets: ALL } } })).toEqual(wanted);
  });

  it('exclude by default what distant clients raise', () => {
    const metrics = targetsOf({}).map(([metric]) => metric);
    expect(metrics).toContain('weir_shard_awaited_bytes');
    expect(metrics).not.toContain('weir_shard_healthy_backlog_bytes');
  });

  it.each(Object.keys(METRICS).flatMap((name) => OFF.map((off) => ({ name, off }))))(
    '$name is switched off by $off, in one pool and in all',
    ({ name, off }) => {
      const left = Object.entries(METRICS)
        .filter(([other]) => other !== name)
        .map(([, [metric]]) => metric);
      for (const values of [
        { poolDefaults: { targets: { ...ALL, [name]: off } } },
        { poolDefaults: { targets: ALL }, pools: { desktop: { targets: { [name]: off } } } },
      ])
        for (const helm of helms) expect(targetsOf(values, helm).map(([metric]) => metric)).toEqual(left);
    },
  );

  it.each(['0', '0.75'])('a ratio of %s by --set, which gives it as text', (ratio) => {
    const values = { poolDefaults: { targets: { connectionsRatio: ratio } } };
    const { objects, refusal } = render(values, { by: 'set' });
    expect(refusal).toBe('');
    const text = JSON.stringify(
      objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler').map((o) => o.whole),
    );
    expect(text.includes('weir_shard_connections')).toBe(ratio !== '0');
  });

  it('are plain numbers for KEDA', () => {
    const targets = { connectionsRatio: 0, awaitedBytes: '1.5Ki', healthyBacklogBytes: '2Ki' };
    const { objects, refusal } = render({ autoscaling: { source: 'keda' }, poolDefaults: { targets } });
    expect(refusal).toBe('');
    const scaled = objects.find(({ kind, name }) => kind === 'ScaledObject' && /desktop/.test(name));
    expect(scaled?.list('spec.triggers').map((one) => one.at('metadata.targetValue'))).toEqual([
      '1536',
      '2048',
    ]);
  });

  it('accept deprecated value names for one release, and prefer the new ones', () => {
    const metric = 'weir_shard_healthy_backlog_bytes';
    const none = { connectionsRatio: 0, awaitedBytes: 0, eventLoopUtilization: 0 };
    const at = (targets: object): unknown =>
      targetsOf({ poolDefaults: { targets: { ...none, ...targets } } });
    expect(at({ bufferedBytes: '2Ki' })).toEqual([[metric, '2Ki']]);
    expect(at({ bufferedBytes: '2Ki', healthyBacklogBytes: '3Ki' })).toEqual([[metric, '3Ki']]);
    expect(at({ tickLagSeconds: '0.25' })).toEqual([['weir_shard_tick_lateness_seconds', '0.25']]);
  });

  it('may all be off if nothing scales', () => {
    const targets = Object.fromEntries(Object.keys(METRICS).map((name) => [name, 0]));
    expect(render({ autoscaling: { source: 'none' }, poolDefaults: { targets } }).refusal).toBe('');
  });
});

function targetsOf(values: unknown, helm = helms[0]): readonly (readonly unknown[])[] {
  const { objects, refusal } = render(values, { helm });
  expect(refusal).toBe('');
  const hpa = objects.find(({ kind, name }) => kind === 'HorizontalPodAutoscaler' && /desktop/.test(name));
  return (hpa?.list('spec.metrics') ?? []).map((one) => [
    one.at('pods.metric.name'),
    one.at('pods.target.averageValue'),
  ]);
}
