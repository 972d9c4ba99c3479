// Only the API server's aggregator may call the metrics API. It shows a certificate that the ConfigMap
// kube-system/extension-apiserver-authentication names, and it has already authorised its user. Headers alone prove
// nothing.
import { textAt } from '@weir/kubernetes';

/** The contents of the ConfigMap. */
export interface FrontProxy {
  /** Authorities of its certificate, PEM. */
  readonly authorities: string;
  /** Allowed common names; an empty list allows every certificate that these authorities signed. */
  readonly names: readonly string[];
  /** Headers with the aggregator's user, lower case. */
  readonly userHeaders: readonly string[];
}

export const frontProxyPath = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';

const maxEntries = 64;

/** Undefined if the API server has no aggregation layer configured, or the ConfigMap is not valid. */
export function readFrontProxy(configMap: unknown): FrontProxy | undefined {
  const authorities = textAt(configMap, 'data', 'requestheader-client-ca-file');
  const names = readList(textAt(configMap, 'data', 'requestheader-allowed-names'));
  const headers = readList(textAt(configMap, 'data', 'requestheader-username-headers'));
  if (!authorities.includes('-----BEGIN CERTIFICATE-----') || names === undefined || headers === undefined)
    return undefined;
  const userHeaders = headers.length === 0 ? ['x-remote-user'] : headers.map((name) => name.toLowerCase());
  return { authorities, names, userHeaders };
}

/** The certificate of a connection, and the headers of a request on it. */
export interface Shown {
  /** Whether the authorities that were valid when the connection opened signed the certificate. */
  readonly authorised: boolean;
  readonly commonName: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Why a request is refused; undefined if it is allowed. */
export function refuse(
  proxy: FrontProxy | undefined,
  shown: Shown,
): { status: 401 | 403; why: string } | undefined {
  if (proxy === undefined || !shown.authorised)
    return { status: 401, why: 'ask through the API server: kubectl get --raw /apis/custom.metrics.k8s.io' };
  if (proxy.names.length > 0 && !proxy.names.includes(shown.commonName ?? ''))
    return { status: 403, why: 'this certificate is not that of the front proxy' };
  const user = proxy.userHeaders.map((name) => shown.headers[name]).find((value) => value !== undefined);
  if (user === undefined || user === '') return { status: 401, why: 'the front proxy names no user' };
  return undefined;
}

/** Parses a JSON list of strings; an empty text is an empty list. */
function readList(text: string): readonly string[] | undefined {
  if (text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value) || value.length > maxEntries) return undefined;
    return value.every((one) => typeof one === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
