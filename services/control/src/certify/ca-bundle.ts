// Writes control's certificate authority into the caBundle of its APIServices. Never touches an APIService that points
// to another Service.
import type { KubeApi } from '@weir/kubernetes';
import { isStatus, textAt } from '@weir/kubernetes';

/** Outcome for one APIService. */
export type BundleOutcome = 'same' | 'written' | 'missing' | 'foreign';

/** The APIServices, and their required contents. */
export interface BundleOptions {
  readonly api: KubeApi;
  readonly apiServices: readonly string[];
  readonly namespace: string;
  readonly service: string;
  /** PEM. */
  readonly authority: string;
}

/** Checks each APIService, and writes those that differ. */
export async function keepCaBundle(o: BundleOptions): Promise<ReadonlyMap<string, BundleOutcome>> {
  const outcomes = new Map<string, BundleOutcome>();
  for (const name of o.apiServices) outcomes.set(name, await keepOne(o, name));
  return outcomes;
}

async function keepOne(o: BundleOptions, name: string): Promise<BundleOutcome> {
  const path = `/apis/apiregistration.k8s.io/v1/apiservices/${encodeURIComponent(name)}`;
  let found: unknown;
  try {
    found = await o.api.request({ method: 'GET', path });
  } catch (error) {
    if (isStatus(error, 404)) return 'missing';
    throw error;
  }
  const ours =
    textAt(found, 'spec', 'service', 'name') === o.service &&
    textAt(found, 'spec', 'service', 'namespace') === o.namespace;
  if (!ours) return 'foreign';
  const caBundle = Buffer.from(o.authority).toString('base64');
  if (textAt(found, 'spec', 'caBundle') === caBundle) return 'same';
  // With the version that was read: if another program has changed the object meanwhile, the next round reads it again.
  const resourceVersion = textAt(found, 'metadata', 'resourceVersion');
  const body = { metadata: { resourceVersion }, spec: { caBundle, insecureSkipTLSVerify: false } };
  await o.api.request({ method: 'PATCH', path, body });
  return 'written';
}
