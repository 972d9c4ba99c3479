// The answer to one authenticated request of the API server. Pure: the caller passes in the pods' load. Never answers
// with an empty list if the load is unknown: an autoscaler would take that for an idle pool.
import { createHash } from 'node:crypto';
import type { Selector } from '@weir/kubernetes';
import { labelSelectorObject, matchesSelector, parseSelector, SelectorError } from '@weir/kubernetes';
import type { PodMeasure } from '../measure/measure.ts';
import type { MetricKind } from '../measure/metric-names.ts';
import { readAccept } from './accept.ts';
import {
  aggregatedDiscovery,
  groupDocument,
  groupList,
  openApiV2,
  openApiV3,
  openApiV3Index,
  resourceList,
} from './documents.ts';
import { quantity } from './quantity.ts';
import type { MetricRoute, Route } from './route.ts';
import { readRoute } from './route.ts';

/** Outcome of a request: the label of a metric. */
export const QUERY_OUTCOMES = ['described', 'measured', 'unknown', 'refused', 'malformed', 'stale'] as const;
export type QueryOutcome = (typeof QUERY_OUTCOMES)[number];

/** The relevant parts of a request. */
export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly accept: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** The current knowledge of the pods. */
export interface Knowledge {
  readonly namespace: string;
  readonly metrics: readonly MetricKind[];
  /** Live pods with their load. */
  readonly pods: readonly PodMeasure[];
  /** Live pods whose load is unknown. */
  readonly silent: number;
  /** Why the measures cannot be trusted now, as text. */
  readonly stale: string | undefined;
  readonly wallMs: number;
}

/** The answer. */
export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly outcome: QueryOutcome;
}

const retryAfterSeconds = 5;

/** Never throws. */
export function answer(request: ApiRequest, known: Knowledge): ApiAnswer {
  const { method, url } = request;
  if (method !== 'GET' && method !== 'HEAD') return failure(405, 'the metrics API is read only', 'refused');
  const accept = readAccept(request.accept);
  const route = readRoute(url);
  if (route.kind === 'groups' && accept.aggregated !== undefined) {
    const document = aggregatedDiscovery(accept.aggregated, names(known));
    const form = `application/json;g=apidiscovery.k8s.io;v=${accept.aggregated};as=APIGroupDiscoveryList`;
    return described(request, document, form);
  }
  // A client that requests OpenAPI as protobuf accepts JSON with its content type.
  const openApi = route.kind === 'openApiV2' || route.kind === 'openApiV3' || route.kind === 'openApiV3Of';
  if (!accept.json && !openApi) return failure(406, 'there is JSON only', 'refused');
  if (route.kind === 'metric') return measured(route, known);
  const document = documentOf(route, known);
  if (document !== undefined) return described(request, document, 'application/json');
  return route.kind === 'malformed'
    ? failure(400, 'the request cannot be read', 'malformed')
    : failure(404, 'there is no such path', 'unknown');
}

function names({ metrics }: Knowledge): readonly string[] {
  return metrics.map(({ name }) => name);
}

function documentOf(route: Route, known: Knowledge): object | undefined {
  switch (route.kind) {
    case 'groups':
      return groupList();
    case 'group':
      return groupDocument();
    case 'resources':
      return resourceList(route.version, names(known));
    case 'openApiV2':
      return openApiV2();
    case 'openApiV3':
      return openApiV3Index(hashOf(JSON.stringify(openApiV3())));
    case 'openApiV3Of':
      return openApiV3();
    default:
      return undefined;
  }
}

function measured(route: MetricRoute, known: Knowledge): ApiAnswer {
  const kind = known.metrics.find(({ name }) => name === route.metric);
  if (kind === undefined) return failure(404, 'there is no metric of this name for pods', 'unknown');
  if (route.namespace !== known.namespace)
    return failure(404, 'there are no shards of this Weir in this namespace', 'unknown');
  let labels: Selector;
  let metricLabels: Selector;
  try {
    labels = parseSelector(route.labelSelector);
    metricLabels = parseSelector(route.metricLabelSelector);
  } catch (error) {
    if (error instanceof SelectorError) return failure(400, error.message, 'malformed');
    throw error;
  }
  if (known.stale !== undefined) return failure(503, known.stale, 'stale');
  const found = known.pods.filter(
    ({ pod, pool }) =>
      (route.pod === '*' ? matchesSelector(labels, pod.labels) : pod.name === route.pod) &&
      matchesSelector(metricLabels, { pool }),
  );
  if (found.length === 0 && known.silent > 0)
    return failure(503, 'the pods are there, but none of them has been heard lately', 'stale');
  if (found.length === 0 && route.pod !== '*')
    return failure(404, 'there is no such pod, or it is not a live shard', 'unknown');
  const body = valueList({ route, kind, found, metricLabels, wallMs: known.wallMs });
  return success(body, 'application/json', 'measured', { 'cache-control': 'no-store' });
}

function valueList(o: {
  readonly route: MetricRoute;
  readonly kind: MetricKind;
  readonly found: readonly PodMeasure[];
  readonly metricLabels: Selector;
  readonly wallMs: number;
}): object {
  const { version, namespace } = o.route;
  const { name, read, windowSeconds } = o.kind;
  const timestamp = new Date(o.wallMs).toISOString().replace(/\.\d+/, '');
  const selector = labelSelectorObject(o.metricLabels);
  const ofVersion =
    version === 'v1beta1'
      ? { metricName: name, window: windowSeconds, selector }
      : { metric: { name, selector }, windowSeconds };
  return {
    kind: 'MetricValueList',
    apiVersion: `custom.metrics.k8s.io/${version}`,
    metadata: {},
    items: o.found.map(({ pod, measured: values }) => ({
      describedObject: { kind: 'Pod', namespace, name: pod.name, apiVersion: 'v1' },
      ...ofVersion,
      timestamp,
      value: quantity(read(values)),
    })),
  };
}

function described(request: ApiRequest, document: object, contentType: string): ApiAnswer {
  const body = JSON.stringify(document);
  const etag = `"${hashOf(body)}"`;
  if (request.ifNoneMatch === etag)
    return { status: 304, contentType, headers: { etag }, body: '', outcome: 'described' };
  return { status: 200, contentType, headers: { etag, vary: 'Accept' }, body, outcome: 'described' };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase();
}

function success(
  body: object,
  contentType: string,
  outcome: QueryOutcome,
  headers: Readonly<Record<string, string>>,
): ApiAnswer {
  return { status: 200, contentType, headers, body: JSON.stringify(body), outcome };
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** A refusal in the form that clients of Kubernetes expect. */
export function failure(code: number, message: string, outcome: QueryOutcome): ApiAnswer {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: reasons[code] ?? 'Unknown',
    ...(code === 503 ? { details: { retryAfterSeconds } } : {}),
    code,
  };
  const headers: Readonly<Record<string, string>> = {
    'cache-control': 'no-store',
    ...(code === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(code === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
  };
  return { status: code, contentType: 'application/json', headers, body: JSON.stringify(body), outcome };
}
