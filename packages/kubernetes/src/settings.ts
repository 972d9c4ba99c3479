// The settings of a service's access to the API server: one table that services spread into their own.
import type { ConfigOf } from '@weir/runtime';
import { defineSettings, parse } from '@weir/runtime';
import type { Access } from './access.ts';
import { createAccess } from './access.ts';
import { parseSelector } from './selector.ts';

/** All settings except the first apply only if the first is set. */
export const kubernetesSettings = defineSettings({
  kubernetes: {
    env: 'WEIR_KUBERNETES',
    parse: parse.oneOf('none', 'inCluster', 'kubeconfig'),
    default: 'none',
    meaning: 'How the service reaches the API server: not at all, as a pod, or by a kubeconfig file',
  },
  apiServer: {
    env: 'WEIR_API_SERVER',
    parse: parse.url('https:'),
    default: 'https://kubernetes.default.svc',
    meaning: 'URL of the API server as pods reach it; with WEIR_KUBERNETES=inCluster',
  },
  kubeconfig: {
    env: 'WEIR_KUBECONFIG',
    parse: parse.text(),
    optional: true,
    meaning: 'Path of a kubeconfig file; with WEIR_KUBERNETES=kubeconfig',
  },
  namespace: {
    env: 'WEIR_NAMESPACE',
    parse: parse.text({
      pattern: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/,
      what: 'the name of a namespace',
      max: 63,
    }),
    optional: true,
    meaning: 'Namespace of this Weir release; required with Kubernetes',
  },
});

type KubernetesConfig = ConfigOf<typeof kubernetesSettings>;

/** Problems of settings that contradict each other. */
export function kubernetesRules(config: KubernetesConfig): readonly string[] {
  const problems: string[] = [];
  if ((config.kubernetes === 'kubeconfig') !== (config.kubeconfig !== undefined))
    problems.push('WEIR_KUBECONFIG belongs to WEIR_KUBERNETES=kubeconfig: set both or neither');
  if (config.kubernetes !== 'none' && config.namespace === undefined)
    problems.push('WEIR_NAMESPACE is required with Kubernetes: give it metadata.namespace');
  return problems;
}

/** The access that the settings describe; undefined without Kubernetes. */
export function configuredAccess(config: KubernetesConfig): Access | undefined {
  const { kubernetes, kubeconfig: file = '', apiServer: server } = config;
  if (kubernetes === 'none') return undefined;
  return createAccess(kubernetes === 'inCluster' ? { kind: kubernetes, server } : { kind: kubernetes, file });
}

/** The `parse` of a setting that is a label selector. */
export function selectorText(text: string): string {
  const given = parse.text()(text);
  try {
    parseSelector(given);
  } catch (error) {
    throw new Error(`must be a label selector: ${error instanceof Error ? error.message : ''}`);
  }
  return given;
}
