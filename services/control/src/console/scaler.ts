// Reads a HorizontalPodAutoscaler of the API server: what it sees, what it wants, and why it holds.
import { isObject, listAt, member, readMeta, textAt } from '@weir/kubernetes';

export interface Scaler {
  readonly name: string;
  readonly pool: string;
  readonly min: number;
  readonly max: number;
  readonly current: number;
  readonly wanted: number;
  readonly metrics: readonly { readonly name: string; readonly sees: string; readonly target: string }[];
  /** In the words of the controller. */
  readonly why: readonly string[];
  /** Whether it can read its metrics. */
  readonly active: boolean;
  /** Whether its bounds keep it from what it wants. */
  readonly limited: boolean;
}

const maxWhyChars = 300;

export function readScaler(object: unknown): Scaler | undefined {
  const meta = readMeta(object);
  if (meta === undefined) return undefined;
  const spec = member(object, 'spec');
  const status = member(object, 'status');
  const conditions = listAt(status, 'conditions').map((one) => ({
    type: textAt(one, 'type'),
    status: textAt(one, 'status'),
    reason: textAt(one, 'reason'),
    message: textAt(one, 'message'),
  }));
  const condition = (type: string): string | undefined => conditions.find((one) => one.type === type)?.status;
  const seen = new Map(
    listAt(status, 'currentMetrics').map((one) => [metricName(one), amountAt(one, 'current')]),
  );
  return {
    name: meta.name,
    pool: meta.labels['weir.dev/pool'] ?? meta.name,
    min: numberAt(spec, 'minReplicas') ?? 1,
    max: numberAt(spec, 'maxReplicas') ?? 0,
    current: numberAt(status, 'currentReplicas') ?? 0,
    wanted: numberAt(status, 'desiredReplicas') ?? 0,
    metrics: listAt(spec, 'metrics').map((one) => {
      const name = metricName(one);
      return { name, sees: seen.get(name) ?? 'nothing yet', target: amountAt(one, 'target') ?? 'none' };
    }),
    why: conditions.map(({ reason, message }) => `${reason}: ${message}`.slice(0, maxWhyChars)),
    active: condition('ScalingActive') !== 'False',
    limited: condition('ScalingLimited') === 'True',
  };
}

/** The source of a metric: `pods`, `external`, `resource`, … */
function sourceOf(metric: unknown): unknown {
  if (!isObject(metric)) return undefined;
  return Object.values(metric).find((value) => isObject(value));
}

function metricName(metric: unknown): string {
  const source = sourceOf(metric);
  return textAt(source, 'metric', 'name') || textAt(source, 'name') || textAt(metric, 'type');
}

function amountAt(metric: unknown, side: 'current' | 'target'): string | undefined {
  const value = member(sourceOf(metric), side);
  const percent = numberAt(value, 'averageUtilization');
  if (percent !== undefined) return `${percent} %`;
  return textAt(value, 'averageValue') || textAt(value, 'value') || undefined;
}

function numberAt(value: unknown, name: string): number | undefined {
  const found = member(value, name);
  return typeof found === 'number' ? found : undefined;
}
