// Parses a request line into the requested resource. Pure; accepts any URL.
import type { Version } from './documents.ts';
import { group, versions } from './documents.ts';

/** The requested resource. */
export type Route =
  | { readonly kind: 'groups' | 'group' | 'openApiV2' | 'openApiV3' | 'unknown' | 'malformed' }
  | { readonly kind: 'resources' | 'openApiV3Of'; readonly version: Version }
  | MetricRoute;

/** A metric of one pod, or of all pods that match. */
export interface MetricRoute {
  readonly kind: 'metric';
  readonly version: Version;
  readonly namespace: string;
  /** `*` is every pod. */
  readonly pod: string;
  readonly metric: string;
  readonly labelSelector: string;
  readonly metricLabelSelector: string;
}

const maxUrlChars = 16_384;

/** Never throws. */
export function readRoute(url: string): Route {
  if (url.length > maxUrlChars || !url.startsWith('/')) return { kind: 'malformed' };
  const [path = '', ...rest] = url.split('?');
  let parts: readonly string[];
  let query: URLSearchParams;
  try {
    parts = path.split('/').slice(1).map(decodeURIComponent);
    query = new URLSearchParams(rest.join('?'));
  } catch {
    return { kind: 'malformed' };
  }
  if (parts.at(-1) === '') parts = parts.slice(0, -1);
  return readOpenApi(parts) ?? readApis(parts, query) ?? { kind: 'unknown' };
}

function readOpenApi(parts: readonly string[]): Route | undefined {
  const [root, form, apis, name, versionText] = parts;
  if (root !== 'openapi') return undefined;
  if (parts.length === 2 && form === 'v2') return { kind: 'openApiV2' };
  if (parts.length === 2 && form === 'v3') return { kind: 'openApiV3' };
  const version = versionOf(versionText);
  const ours = parts.length === 5 && form === 'v3' && apis === 'apis' && name === group;
  return ours && version !== undefined ? { kind: 'openApiV3Of', version } : undefined;
}

function readApis(parts: readonly string[], query: URLSearchParams): Route | undefined {
  const [root, name, versionText, namespaces, namespace, pods, pod, metric] = parts;
  if (root !== 'apis') return undefined;
  if (parts.length === 1) return { kind: 'groups' };
  if (name !== group) return undefined;
  if (parts.length === 2) return { kind: 'group' };
  const version = versionOf(versionText);
  if (version === undefined) return undefined;
  if (parts.length === 3) return { kind: 'resources', version };
  if (parts.length !== 8 || namespaces !== 'namespaces' || pods !== 'pods') return undefined;
  if (namespace === undefined || pod === undefined || metric === undefined) return undefined;
  if ([...query.keys()].some((key) => query.getAll(key).length > 1)) return { kind: 'malformed' };
  return {
    kind: 'metric',
    version,
    namespace,
    pod,
    metric,
    labelSelector: query.get('labelSelector') ?? '',
    metricLabelSelector: query.get('metricLabelSelector') ?? '',
  };
}

function versionOf(text: string | undefined): Version | undefined {
  return versions.find((version) => version === text);
}
