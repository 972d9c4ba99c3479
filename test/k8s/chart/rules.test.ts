// What the chart refuses, and that it says what to do; that no values, whatever is missing in them, end in a stack.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { helms, render, root } from './render.ts';

/** Values that are wrong, and what is said of them. */
const REFUSED: readonly (readonly [unknown, RegExp])[] = [
  [{ pool: {} }, /pool/],
  [{ router: { replica: 3 } }, /replica/],
  [{ autoscaling: { source: 'prometheus' } }, /source/],
  [{ publicUrl: 'https://weir.example.com' }, /publicUrl/],
  [{ shardUrl: 'wss://gate.example.com' }, /shardUrl/],
  [{ nats: { url: 'localhost:4222' } }, /nats/],
  [{ nats: { url: 'nats://user:secret@nats:4222' } }, /nats/],
  [{ pools: { Desktop: {} } }, /Desktop/],
  [{ pools: { desktop: { capacities: 1 } } }, /capacities/],
  [{ pools: { desktop: { settings: { WEIR_THREADS: 2 } } } }, /WEIR_THREADS/],
  [{ pools: { desktop: { resources: { limits: { cpu: 'two' } } } } }, /cpu/],
  [{ router: { settings: { WEIR_PROBE_RTT_TRESHOLD_MS: 1 } } }, /WEIR_PROBE_RTT_TRESHOLD_MS/],
  [{ pools: { desktop: { settings: { WEIR_CAPACITY: 1 } } } }, /WEIR_CAPACITY/],
  [{ pools: { mobile: null, desktop: null } }, /needs one pool at least/],
  [{ pools: { desktop: { minReplicas: 11 } } }, /minReplicas \(11\) is greater than/],
  [{ pools: { desktop: { capacity: 20000 } } }, /does not hold 20000 clients that are stuck/],
  [{ pools: { desktop: { sysctls: { tcpWmem: '' } } } }, /does not hold 4000 clients/],
  [{ pools: { desktop: { drain: { windowMs: 900000 } } } }, /may take \d+ s, more than the 600 s/],
  [{ ingress: { enabled: true }, publicUrl: 'wss://w.example' }, /set edge\.enabled=true, or shardUrl/],
  [{ ingress: { enabled: true }, edge: { enabled: true } }, /needs publicUrl/],
  [
    { httpRoute: { enabled: true }, edge: { enabled: true }, publicUrl: 'wss://w.example' },
    /httpRoute\.parentRefs/,
  ],
  [
    {
      httpRoute: { enabled: true },
      ingress: { enabled: true },
      edge: { enabled: true },
      publicUrl: 'wss://w.example',
    },
    /choose one/,
  ],
  [{ edge: { enabled: true }, ipv6: true }, /IPv4/],
  [{ edge: { enabled: true }, shardUrl: 'ws://$(POD_IP):8081' }, /contradict/],
  [{ auth: { mode: 'jwt' } }, /needs auth\.existingSecret .* or auth\.jwksUrl/],
  [{ auth: { jwksUrl: 'https://id.example/keys' } }, /set auth\.mode=jwt/],
  [{ auth: { mode: 'jwt', jwksUrl: 'https://id.example', existingSecret: 'x' } }, /both set/],
  [{ nats: { credsSecret: 'x' } }, /set nats\.url/],
  [{ nats: { replicas: 2 } }, /no majority/],
  [{ nats: { storage: '1Gi' } }, /does not hold the two streams/],
  [{ publisher: { demo: 'lobby', replicas: 2 } }, /publisher\.replicas=1/],
  [{ control: { enabled: false } }, /set control\.enabled=true, or autoscaling\.source/],
];

describe.skipIf(helms.length === 0)('charts/weir refuses (skipped where helm is not on the PATH)', () => {
  it.each(REFUSED)('%j', (values, sentence) => {
    for (const helm of helms) {
      const { refusal } = render(values, { helm });
      expect(refusal).toMatch(sentence);
      expect(refusal).not.toMatch(/nil pointer|<nil>|can't evaluate|runtime error/);
    }
  });

  it('a Kubernetes that is too old', () => {
    expect(render({}, { kube: '1.29.0' }).refusal).toMatch(/kubeVersion: >=1\.30/);
  });

  it('or takes values without any one of their blocks, and never ends in a stack (case H4)', () => {
    const values: unknown = parse(readFileSync(`${root}charts/weir/values.yaml`, 'utf8'));
    const paths = blocks(values, []);
    expect(paths.length).toBeGreaterThan(50);
    for (const path of paths) {
      const { objects, refusal } = render(nulled(path));
      expect(refusal, path.join('.')).not.toMatch(
        /nil pointer|<nil>|can't evaluate|runtime error|wrong type/,
      );
      if (objects.length === 0) expect(refusal, path.join('.')).toMatch(/schema|templates\/validate\.yaml/);
    }
  }, 120_000);
});

/** Every top-level key and every block below. */
function blocks(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return path.length === 1 ? [path] : [];
  const below = Object.entries(value).flatMap(([key, inner]) => blocks(inner, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function nulled(path: readonly string[]): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), null);
}
