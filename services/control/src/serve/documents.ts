// The documents that describe the metrics API to the API server: discovery in its three forms, and OpenAPI. Pure.

export const group = 'custom.metrics.k8s.io';
/** Newest first; the first is the preferred one. */
export const versions = ['v1beta2', 'v1beta1'] as const;
export type Version = (typeof versions)[number];

const named = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));

function apiGroup(): object {
  return { name: group, versions: named, preferredVersion: named[0] };
}

/** `/apis` */
export function groupList(): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: [apiGroup()] };
}

/** `/apis/custom.metrics.k8s.io` */
export function groupDocument(): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup() };
}

/** `/apis/custom.metrics.k8s.io/<version>` */
export function resourceList(version: Version, metrics: readonly string[]): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/${version}`,
    resources: metrics.map((name) => ({
      name: `pods/${name}`,
      singularName: '',
      namespaced: true,
      kind: 'MetricValueList',
      verbs: ['get'],
    })),
  };
}

/** `/apis` in the form that the aggregator requests first. */
export function aggregatedDiscovery(apiVersion: 'v2' | 'v2beta1', metrics: readonly string[]): object {
  const subresources = metrics.map((name) => ({
    subresource: name,
    responseKind: { group: '', version: '', kind: 'MetricValueList' },
    verbs: ['get'],
  }));
  // The API server's own form for resources that are only subresources: the parent has no kind.
  const pods = {
    resource: 'pods',
    responseKind: { group: '', version: '', kind: '' },
    scope: 'Namespaced',
    singularResource: '',
    verbs: [],
    subresources,
  };
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${apiVersion}`,
    metadata: {},
    items: [
      {
        metadata: { name: group, creationTimestamp: null },
        versions: versions.map((version) => ({ version, freshness: 'Current', resources: [pods] })),
      },
    ],
  };
}

const info = { title: 'Weir custom metrics', version: 'v1' };

/** `/openapi/v2`: without it, the API server requests it again and again (case H8). */
export function openApiV2(): object {
  return { swagger: '2.0', info, paths: {} };
}

/** `/openapi/v3` */
export function openApiV3Index(hash: string): object {
  const paths = versions.map((version) => [
    `apis/${group}/${version}`,
    { serverRelativeURL: `/openapi/v3/apis/${group}/${version}?hash=${hash}` },
  ]);
  return { paths: Object.fromEntries(paths) };
}

/** `/openapi/v3/apis/custom.metrics.k8s.io/<version>` */
export function openApiV3(): object {
  return { openapi: '3.0.0', info, paths: {} };
}
