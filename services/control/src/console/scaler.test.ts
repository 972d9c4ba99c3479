// An autoscaler as the API server has it, and as the page shows it.
import { expect, it } from 'vitest';
import { readScaler } from './scaler.ts';

const metadata = { name: 'weir-shard-desktop', labels: { 'weir.dev/pool': 'desktop' } };
const metric = { name: 'weir_shard_connections' };
const object = {
  metadata,
  spec: {
    minReplicas: 2,
    maxReplicas: 10,
    metrics: [
      { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: '3k' } } },
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  },
  status: {
    currentReplicas: 3,
    desiredReplicas: 4,
    currentMetrics: [{ type: 'Pods', pods: { metric, current: { averageValue: '3500' } } }],
    conditions: [
      {
        type: 'AbleToScale',
        status: 'True',
        reason: 'ScaleDownStabilized',
        message: 'recent recommendations were higher',
      },
      { type: 'ScalingActive', status: 'False', reason: 'FailedGetPodsMetric', message: 'no metrics' },
      { type: 'ScalingLimited', status: 'True', reason: 'TooManyReplicas', message: 'the maximum' },
    ],
  },
};

it('says what it sees, wants, and why', () => {
  expect(readScaler(object)).toEqual({
    name: 'weir-shard-desktop',
    pool: 'desktop',
    min: 2,
    max: 10,
    current: 3,
    wanted: 4,
    metrics: [
      { name: 'weir_shard_connections', sees: '3500', target: '3k' },
      { name: 'cpu', sees: 'nothing yet', target: '80 %' },
    ],
    why: [
      'ScaleDownStabilized: recent recommendations were higher',
      'FailedGetPodsMetric: no metrics',
      'TooManyReplicas: the maximum',
    ],
    active: false,
    limited: true,
  });
});

it.each([undefined, null, 1, 'x', [], {}, { metadata: {} }])('%j is none', (value) => {
  expect(readScaler(value)).toBeUndefined();
});

it('that has just been made sees nothing', () => {
  const fresh = readScaler({ metadata: { name: 'x' }, spec: {}, status: null });
  expect(fresh).toMatchObject({
    name: 'x',
    pool: 'x',
    current: 0,
    metrics: [],
    why: [],
    active: true,
    limited: false,
  });
});
