// The chart refuses wrong values with advice, and no missing value ends in a stack trace.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sample } from '../../harness/scale.ts';
import { helms, render, root } from './render.ts';

/** Wrong values, and the message for each. */
const REFUSED: readonly (readonly [unknown, RegExp])[] = [
  [{ pool: {} }, /pool/],
  [{ router: { replica: 3 } }, /replica/],
  [{ autoscaling: { source: 'prometheus' } }, /source/],
  [{ publicUrl: 'https://weir.example.com' }, /publicUrl/],
  [{ shardUrl: 'wss://gate.example.com' }, /shardUrl/],
  [{ nats: { url: 'localhost:4222' } }, /nats/],
  [{ nats: { url: 'nats://user:secret@nats:4222' } }, /nats/],
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
  [
    { console: { enabled: true }, control: { enabled: false }, autoscaling: { source: 'none' } },
    /set control\.enabled/,
  ],
  [{ console: { existingSecret: 'x' } }, /console\.enabled is false/],
  [{ console: { allowedHosts: ['https://console.example.com'] } }, /at '\/console\/allowedHosts\/0'/],
  [{ nats: { replicas: 2 } }, /no majority/],
  [{ nats: { storage: '1Gi' } }, /does not hold the two streams/],
  [{ publisher: { demo: 'lobby', replicas: 2 } }, /publisher\.replicas=1/],
  [{ pools: { Desktop: {} } }, /at '\/pools': additional properties 'Desktop'/],
  [{ pools: { 'a-name-that-is-too-long': {} } }, /at '\/pools': additional properties/],
  [{ pools: { desktop: { settings: { WEIR_TIK_MS: 5 } } } }, /at '\/pools\/desktop\/settings': additional/],
  [
    { control: { settings: { WEIR_NONE: 5 } } },
    /at '\/control\/settings': additional properties 'WEIR_NONE'/,
  ],
  [{ pools: { tablet: { order: 90 } } }, /pools\.desktop\.order and pools\.tablet\.order are both 90/],
  [{ pools: { a: {}, b: null, c: {} } }, /pools\.a\.order and pools\.c\.order are both 50/],
  [{ pools: { desktop: { settings: { WEIR_TICK_MS: 5_000_000 } } } }, /WEIR_TICK_MS': maximum/],
  [
    { pools: { desktop: { settings: { WEIR_TICK_MS: '5000000' } } } },
    /pools\.desktop\.settings\.WEIR_TICK_MS is 5000000, and must be from 10 to 60000 ms/,
  ],
  [{ poolDefaults: { settings: { WEIR_LAG_MS: '11m' } } }, /WEIR_LAG_MS is 11m, and must be from 1000/],
  [
    { router: { settings: { WEIR_PROBE_MAX_BYTES: '2MB' } } },
    /router\.settings\.WEIR_PROBE_MAX_BYTES is 2MB/,
  ],
  [{ router: { settings: { WEIR_PROBE_MAX_BYTES: '0.0001KB' } } }, /WEIR_PROBE_MAX_BYTES/],
  [{ publisher: { settings: { WEIR_MAX_BATCH: 0 } } }, /WEIR_MAX_BATCH': minimum/],
  [{ control: { settings: { WEIR_MAX_SHARDS: true } } }, /WEIR_MAX_SHARDS/],
  [{ pools: { desktop: { settings: { WEIR_COMPRESSION: 'maybe' } } } }, /WEIR_COMPRESSION/],
  [
    { pools: { desktop: { hardBytes: 65_536 } } },
    /hardBytes \(65536\) must be more than WEIR_SOFT_BYTES \(131072\)/,
  ],
  [
    { poolDefaults: { settings: { WEIR_PROMOTION_RTT_MS: 501 } } },
    /WEIR_PROMOTION_RTT_MS \(501\) must not exceed/,
  ],
  [
    { poolDefaults: { settings: { WEIR_MAX_FRAME_BYTES: 20_000, WEIR_MAX_MESSAGE_BYTES: '19.5KB' } } },
    /WEIR_MAX_/,
  ],
  [{ trustedProxies: ['10.0.0.0/33'] }, /trustedProxies: "10\.0\.0\.0\/33" is no address and no range/],
  [{ trustedProxies: ['10.0.0.0/8', '2001:db8::/129'] }, /"2001:db8::\/129"/],
  [{ trustedProxies: ['1::2::3'] }, /"1::2::3"/],
  [{ trustedProxies: ['proxy.example'] }, /"proxy\.example"/],
  [{ allowedOrigins: ['app.example.com'] }, /allowedOrigins: "app\.example\.com" is no origin/],
  [{ allowedOrigins: ['https://app.example.com/'] }, /is no origin/],
  [{ allowedOrigins: ['https://a.example,https://b.example'] }, /is no origin/],
  [{ publicUrl: 'wss://weir.example.com:99999' }, /publicUrl/],
  [{ auth: { mode: 'jwt', jwksUrl: 'https://' } }, /jwksUrl/],
  [{ auth: { mode: 'jwt', existingSecret: 'x', defaultChannels: ['a b'] } }, /defaultChannels/],
  [{ nats: { url: 'nats://nats:99999' } }, /nats/],
  [{ streams: { maxBytes: '1k' } }, /streams\.maxBytes \(1k\) must be from 1Mi to 100G/],
  [{ poolDefaults: { targets: { connectionsRatio: 0.01 } } }, /connectionsRatio/],
  [{ poolDefaults: { targets: { connectionsRatio: '1.2' } } }, /connectionsRatio/],
  [
    { poolDefaults: { targets: { connectionsRatio: 0, awaitedBytes: '0Mi', eventLoopUtilization: '' } } },
    /pools\.desktop has no target that autoscaling\.source=builtin could scale by/,
  ],
  [
    { autoscaling: { source: 'keda' }, poolDefaults: { targets: { connectionsRatio: 0, awaitedBytes: 0 } } },
    /no target that autoscaling\.source=keda/,
  ],
  [
    { publicUrl: 'wss://weir.example.com', service: { type: 'LoadBalancer' } },
    /at ws:\/\/<pod IP>:8081, which no page that came by https may open: set edge\.enabled=true, or shardUrl/,
  ],
  [
    { publicUrl: 'wss://w.example', shardUrl: 'ws://$(POD_IP).gate.example' },
    /set edge\.enabled=true, or shardUrl/,
  ],
  [{ networkPolicy: { dnsPorts: [] } }, /dnsPorts/],
  [
    { router: { settings: { WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: 1_000 } } },
    /WEIR_CONNECTS_PER_SECOND_PER_ADDRESS \(1000\) must not exceed WEIR_CONNECT_BURST_PER_ADDRESS \(200\)/,
  ],
  [{ router: { settings: { WEIR_MAX_SOCKETS: 100 } } }, /WEIR_MAX_PENDING \(5000\) must not exceed/],
  [{ control: { enabled: false } }, /set control\.enabled=true, or autoscaling\.source/],
];

describe.skipIf(helms.length === 0)('charts/weir refuses (skipped: helm is not on the PATH)', () => {
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

  it('or accepts values without any one of their blocks, and never ends in a stack trace (case H4)', () => {
    const values: unknown = parse(readFileSync(`${root}charts/weir/values.yaml`, 'utf8'));
    const paths = blocks(values, []);
    expect(paths.length).toBeGreaterThan(50);
    for (const path of sample(paths, 4)) {
      const { objects, refusal } = render(nulled(path));
      expect(refusal, path.join('.')).not.toMatch(
        /nil pointer|<nil>|can't evaluate|runtime error|wrong type/,
      );
      if (objects.length === 0) expect(refusal, path.join('.')).toMatch(/schema|templates\/validate\.yaml/);
    }
  });
});

/** The path of every top-level key and of every block below. */
function blocks(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return path.length === 1 ? [path] : [];
  const below = Object.entries(value).flatMap(([key, inner]) => blocks(inner, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function nulled(path: readonly string[]): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), null);
}
