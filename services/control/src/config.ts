// Control's settings, one table. No other file of control names environment variables; docs/config.md is generated from
// this table.
import { kubernetesRules, kubernetesSettings, selectorText } from '@weir/kubernetes';
import { isToken } from '@weir/protocol';
import type { ConfigOf } from '@weir/runtime';
import { commonSettings, defineSettings, parse } from '@weir/runtime';

function pool(text: string): string {
  if (!isToken(text, 64)) throw new Error('must be a pool name (letters, digits, - and _)');
  return text;
}

/** A Kubernetes object name. */
const objectName = parse.text({
  pattern: /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/,
  what: 'a name of lower-case letters, digits, - and .',
  max: 253,
});

/** A name as browsers send it; with a dot before it also every name below. */
const hostName = parse.text({
  pattern:
    /^\.?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?$/,
  what: 'a host name such as console.example.com, or .example.com for all below, without scheme and port',
  max: 253,
});

/** Long enough that no one guesses it. */
const consoleToken = parse.text({
  pattern: /^\S{16,512}$/,
  what: '16 to 512 characters without white space',
  max: 512,
});

/** All settings. */
export const settings = defineSettings({
  ...commonSettings,
  adminPort: { ...commonSettings.adminPort, default: 9183 },
  pools: {
    env: 'WEIR_POOLS',
    parse: parse.list(pool),
    default: ['mobile', 'desktop'],
    meaning:
      "Names of the pools, which are labels of control's own metrics; a pool that is not listed counts as other",
  },
  beatSilentMs: {
    env: 'WEIR_BEAT_SILENT_MS',
    parse: parse.durationMs({ min: 3_000, max: 60_000 }),
    default: 5_000,
    unit: 'ms',
    meaning: 'A shard without a heartbeat for this time counts as silent: its load is unknown',
  },
  maxShards: {
    env: 'WEIR_MAX_SHARDS',
    parse: parse.int({ min: 1, max: 100_000 }),
    default: 2_000,
    meaning: 'Maximum shards in the shard table',
  },
  ...kubernetesSettings,
  kubernetes: {
    ...kubernetesSettings.kubernetes,
    meaning:
      'How control reaches the API server: not at all (no metrics API, no lease: run one control), as a pod, or by a kubeconfig file',
  },
  podName: {
    env: 'WEIR_POD_NAME',
    parse: objectName,
    optional: true,
    meaning: 'Name of this pod, by which it holds the lease; by default the host name and random digits',
  },
  podSelector: {
    env: 'WEIR_POD_SELECTOR',
    parse: selectorText,
    default: 'app.kubernetes.io/component=shard',
    meaning: 'Label selector that finds the pods of all shards, and no others',
  },
  leaseName: {
    env: 'WEIR_LEASE_NAME',
    parse: objectName,
    default: 'weir-control',
    meaning: 'Lease that the leading control holds',
  },
  metricsApi: {
    env: 'WEIR_METRICS_API',
    parse: parse.flag(),
    default: true,
    meaning: 'Whether control serves custom.metrics.k8s.io; with Kubernetes only',
  },
  host: {
    env: 'WEIR_HOST',
    parse: parse.host(),
    default: '0.0.0.0',
    meaning: 'Address that the metrics API listens on; :: is IPv6 and IPv4',
  },
  port: {
    env: 'WEIR_PORT',
    parse: parse.port(),
    default: 8443,
    meaning: 'Port of the metrics API (HTTPS); 0 picks a free one',
  },
  serviceName: {
    env: 'WEIR_SERVICE_NAME',
    parse: objectName,
    default: 'weir-control',
    meaning: 'Service in front of the metrics API; the certificate is for its name',
  },
  tlsCertFile: {
    env: 'WEIR_TLS_CERT_FILE',
    parse: parse.text(),
    optional: true,
    meaning:
      'Path of the certificate (PEM, with its chain); control reads it again when it changes. The alternative is WEIR_TLS_SECRET',
  },
  tlsKeyFile: {
    env: 'WEIR_TLS_KEY_FILE',
    parse: parse.text(),
    optional: true,
    meaning: 'Path of the key of the certificate (PEM)',
  },
  tlsSecret: {
    env: 'WEIR_TLS_SECRET',
    parse: objectName,
    optional: true,
    meaning:
      'Secret that control fills with a certificate of its own and renews; control writes its authority into WEIR_API_SERVICES',
  },
  apiServices: {
    env: 'WEIR_API_SERVICES',
    parse: parse.list(objectName),
    default: ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'],
    meaning: 'APIServices whose caBundle control keeps up to date; with WEIR_TLS_SECRET',
  },
  rebalance: {
    env: 'WEIR_REBALANCE',
    parse: parse.flag(),
    default: true,
    meaning:
      'Whether control asks shards with far more clients than the average to move some to other shards',
  },
  rebalanceMovesPerSecond: {
    env: 'WEIR_REBALANCE_MOVES_PER_SECOND',
    parse: parse.int({ min: 1, max: 100_000 }),
    default: 500,
    unit: '1/s',
    meaning:
      'Maximum moves per second that control asks of all shards together; of one pool at most 1 % of its clients, or 20 if that is more',
  },
  rebalanceCoolDownMs: {
    env: 'WEIR_REBALANCE_COOL_DOWN_MS',
    parse: parse.durationMs({ min: 1_000, max: 3_600_000 }),
    default: 60_000,
    unit: 'ms',
    meaning: 'Pause of rebalancing after a shard came or went, and after a rebalance',
  },
  rebalanceWithinMs: {
    env: 'WEIR_REBALANCE_WITHIN_MS',
    parse: parse.durationMs({ min: 1_000, max: 60_000 }),
    default: 5_000,
    unit: 'ms',
    meaning: 'Time that each client has to move',
  },
  deletionCost: {
    env: 'WEIR_DELETION_COST',
    parse: parse.flag(),
    default: true,
    meaning:
      'Whether control writes a pod-deletion-cost to pods, which makes scale-down take the emptiest; with Kubernetes only',
  },
  cleanUpDeletions: {
    env: 'WEIR_CLEAN_UP_DELETIONS',
    parse: parse.flag(),
    default: true,
    meaning: 'Whether control removes old deletions from the state stream, which otherwise keeps all of them',
  },
  cleanUpAfterMs: {
    env: 'WEIR_CLEAN_UP_AFTER_MS',
    parse: parse.durationMs({ min: 1_000, max: 604_800_000 }),
    default: 900_000,
    unit: 'ms',
    meaning:
      'Age from which control removes a deletion; more than WEIR_STATE_DELETION_MS of the shards. A client that reconnects with an older position may get a snapshot',
  },
  cleanUpPerSecond: {
    env: 'WEIR_CLEAN_UP_PER_SECOND',
    parse: parse.int({ min: 1, max: 100_000 }),
    default: 1_000,
    unit: '1/s',
    meaning: 'Maximum deletions that control removes per second',
  },
  measureStreams: {
    env: 'WEIR_MEASURE_STREAMS',
    parse: parse.flag(),
    default: true,
    meaning: 'Whether control counts published messages, to estimate how many the streams did not store',
  },
  measureEveryMs: {
    env: 'WEIR_MEASURE_EVERY_MS',
    parse: parse.durationMs({ min: 1_000, max: 3_600_000 }),
    default: 3_000,
    unit: 'ms',
    meaning: 'How often control looks at each stream; it counts messages for one second of this time',
  },
  measureMaxMessages: {
    env: 'WEIR_MEASURE_MAX_MESSAGES',
    parse: parse.int({ min: 1_000, max: 10_000_000 }),
    default: 200_000,
    meaning:
      'Messages of a stream after which control stops counting; the count ends early at a quarter of it',
  },
  console: {
    env: 'WEIR_CONSOLE',
    parse: parse.flag(),
    default: false,
    meaning: 'Whether control serves the console (docs/console.md)',
  },
  consoleHost: {
    env: 'WEIR_CONSOLE_HOST',
    parse: parse.host(),
    default: '127.0.0.1',
    meaning:
      'Address that the console listens on; 0.0.0.0 in the images. It has no login: keep it off public networks',
  },
  consolePort: {
    env: 'WEIR_CONSOLE_PORT',
    parse: parse.port(),
    default: 7704,
    meaning: 'Port of the console (HTTP); 0 picks a free one',
  },
  consoleAllowedHosts: {
    env: 'WEIR_CONSOLE_ALLOWED_HOSTS',
    parse: parse.list(hostName),
    optional: true,
    meaning:
      'Names by which the console answers, besides IP addresses, localhost and the name of its machine: console.example.com, or .example.com for all below',
  },
  consoleToken: {
    env: 'WEIR_CONSOLE_TOKEN',
    parse: consoleToken,
    optional: true,
    secret: true,
    meaning:
      'Token with which a person may drain a shard and rebalance in the console; without it the console only shows',
  },
  consoleEveryMs: {
    env: 'WEIR_CONSOLE_EVERY_MS',
    parse: parse.durationMs({ min: 500, max: 30_000 }),
    default: 2_000,
    unit: 'ms',
    meaning:
      'How often the console asks for figures and tells browsers. Its hour of history has a row each time, and at most one every 2 s',
  },
  consoleMaxShards: {
    env: 'WEIR_CONSOLE_MAX_SHARDS',
    parse: parse.int({ min: 1, max: 10_000 }),
    default: 500,
    meaning:
      'Shards of which the console keeps an hour of history, at most 43 KB each. Others count in their pool alone',
  },
  consoleMaxBrowsers: {
    env: 'WEIR_CONSOLE_MAX_BROWSERS',
    parse: parse.int({ min: 1, max: 1_000 }),
    default: 50,
    meaning: 'Browsers that may look at the console at once; further ones are refused',
  },
  consoleScalerSelector: {
    env: 'WEIR_CONSOLE_SCALER_SELECTOR',
    parse: selectorText,
    default: 'weir.dev/pool',
    meaning: 'Label selector of the HorizontalPodAutoscalers that the console shows; with Kubernetes only',
  },
});

/** Control's configuration. */
export type ControlConfig = ConfigOf<typeof settings>;

/** Problems of settings that contradict each other. */
export function rules(c: ControlConfig): readonly string[] {
  const problems = [...kubernetesRules(c)];
  if (new Set(c.pools).size < c.pools.length) problems.push('WEIR_POOLS must not name a pool twice');
  if (c.kubernetes === 'none') return problems;
  if ((c.tlsCertFile === undefined) !== (c.tlsKeyFile === undefined))
    problems.push('WEIR_TLS_CERT_FILE and WEIR_TLS_KEY_FILE belong together: set both or neither');
  const ways = [c.tlsCertFile ?? c.tlsKeyFile, c.tlsSecret].filter((way) => way !== undefined).length;
  if (c.metricsApi && ways !== 1)
    problems.push(
      'the metrics API needs a certificate: set WEIR_TLS_SECRET, or WEIR_TLS_CERT_FILE and WEIR_TLS_KEY_FILE, and not both; or WEIR_METRICS_API=false',
    );
  return problems;
}
