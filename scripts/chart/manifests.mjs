// Owns k8s/base/weir.yaml: the output of `helm template` for k8s/values.yaml, without Helm's own parts.
// `node scripts/chart/manifests.mjs` writes it; with `--check` it only compares it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../set-up.mjs';
import { helms } from './helms.mjs';

const FILE = join(ROOT, 'k8s/base/weir.yaml');
const HEADER = `# Written by \`node scripts/chart/manifests.mjs\` from charts/weir and k8s/values.yaml; do not edit by hand.
`;

export async function manifestsAreInStep(helm) {
  return readFileSync(FILE, 'utf8') === (await manifests(helm));
}

/** All objects except hooks, without the labels that name the chart. */
async function manifests({ program }) {
  const { parseAllDocuments, stringify } = await import('yaml'); // loaded here: it may not be installed before the set-up
  const args = ['template', 'weir', 'charts/weir', '--namespace', 'weir', '--values', 'k8s/values.yaml'];
  const rendered = execFileSync(program, [...args, '--kube-version', '1.34.0'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const objects = parseAllDocuments(rendered)
    .map((document) => document.toJS())
    .filter((object) => object !== null && object.metadata.annotations?.['helm.sh/hook'] === undefined)
    .toSorted((a, b) => keyOf(a).localeCompare(keyOf(b), 'en'));
  return HEADER + objects.map((object) => `---\n${stringify(withoutHelm(object))}`).join('');
}

const KINDS = [
  'Secret',
  'ConfigMap',
  'ServiceAccount',
  'ClusterRole',
  'Role',
  'Service',
  'StatefulSet',
  'Deployment',
];

function keyOf({ kind, metadata }) {
  const at = KINDS.indexOf(kind);
  return `${String(at === -1 ? KINDS.length : at).padStart(2, '0')} ${kind} ${metadata.name}`;
}

function withoutHelm(object) {
  const { labels = {} } = object.metadata;
  for (const name of ['helm.sh/chart', 'app.kubernetes.io/managed-by']) delete labels[name];
  if (object.metadata.namespace === undefined && !/^Cluster|^APIService/.test(object.kind))
    object.metadata.namespace = 'weir';
  return object;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [helm] = helms();
  if (helm === undefined) throw new Error('there is no helm on the PATH');
  if (!process.argv.includes('--check')) writeFileSync(FILE, await manifests(helm));
  else if (!(await manifestsAreInStep(helm))) {
    console.error('k8s/base/weir.yaml is out of date: run node scripts/chart/manifests.mjs');
    process.exitCode = 1;
  }
}
