// Names and texts that YAML would read as something else: a release `123`, a Secret `true`, a pool `no`. The API server
// reads YAML 1.1, and refuses a number or a flag where it wants text.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { helms, root } from './render.ts';

/** What each text of the chart could be by mistake, or is on purpose. */
const ODD = ['123', 'true', 'null', 'no', '1e6'] as const;

const everything = {
  publicUrl: 'wss://weir.example',
  edge: { enabled: true },
  console: { enabled: true },
  monitoring: { podMonitor: true, prometheusRule: true, dashboard: true },
};

/** Values whose texts are all this one, as far as the schema allows. */
function valuesOf(text: string): readonly object[] {
  const tls = { existingSecret: text, secretKey: text };
  return [
    { ...everything, tickets: tls, priorityClassName: text, image: { pullSecrets: [text] } },
    { console: { enabled: true, ...tls }, publisher: tls, auth: { mode: 'jwt', ...tls } },
    { nats: { url: 'nats://nats.example', existingSecret: text, credsSecret: text, credsKey: text } },
    { nats: { persistence: { enabled: true, storageClass: text }, image: text } },
    {
      ...everything,
      edge: { enabled: true, image: text },
      ingress: { enabled: true, className: text },
      service: { type: 'LoadBalancer', loadBalancerClass: text },
    },
    ...(/^[a-z]+$/.test(text) ? [{ ...everything, pools: { [text]: { order: 1 } } }] : []),
  ];
}

function rendered(release: string, values: object): readonly unknown[] {
  const [helm] = helms;
  if (helm === undefined) throw new Error('there is no helm');
  const args = ['template', release, `${root}charts/weir`, '--namespace', '2026', '--kube-version', '1.34.0'];
  const input = JSON.stringify(values);
  const { status, stdout, stderr } = spawnSync(helm.program, [...args, '--values', '-'], {
    encoding: 'utf8',
    input,
    maxBuffer: 1e8,
  });
  expect(status, `${input}: ${stderr}`).toBe(0);
  return parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS());
}

const NAMES = /^(?:name|namespace|key|secretName|serviceName|image|priorityClassName|storageClassName)$/;
const MAPS = /^(?:labels|annotations|matchLabels|nodeSelector|selector)$/;

/** Where a text is no text. */
function noTexts(value: unknown, path: string, inMap: boolean): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = `${path}.${key}`;
    const wantsText = NAMES.test(key) || (inMap && key !== 'matchExpressions' && !MAPS.test(key));
    if (wantsText && (typeof inner !== 'object' || inner === null))
      return typeof inner === 'string' ? [] : [`${at} is ${String(inner)}`];
    return noTexts(inner, at, MAPS.test(key));
  });
}

describe.skipIf(helms.length === 0)('charts/weir writes text (skipped: helm is not on the PATH)', () => {
  it.each(ODD)('for a release and for every name that is %j', (text) => {
    const releases = [rendered(text, everything), ...valuesOf(text).map((one) => rendered('weir', one))];
    for (const objects of releases) {
      expect(objects.length).toBeGreaterThan(5);
      expect(objects.flatMap((object) => noTexts(object, '', false))).toEqual([]);
    }
  });
});
