// docs/metrics.md from what the services register: names, types, labels and meaning are the code's own, and
// metrics-advice.mjs says what to look at. Makes the parts of a service, but starts none.
import { advice, INVARIANTS } from './metrics-advice.mjs';

const INTRO = `# Metrics

<!-- Written by \`node scripts/write-docs.mjs\` from what the services register and scripts/metrics-advice.mjs. -->

Every service serves \`GET /metrics\` in the Prometheus text format on its admin port (\`WEIR_ADMIN_PORT\`, 9090), beside \`/livez\` and \`/readyz\`. Labels have few and known values: never an id, an address or a channel. A counter with known label values is there from the start with 0, so that its first rise is a rise. Beside the metrics below each service has the process metrics of prom-client (\`process_*\`, \`nodejs_*\`: CPU, memory, event loop lag, garbage collection).
`;

const EVERY = [
  'weir_build_info',
  'weir_nats_connected',
  'weir_nats_reconnects_total',
  'weir_nats_dropped_messages_total',
];
/** Labels whose values are settings or names: not listed. */
const OPEN_LABELS = new Set(['pool', 'service', 'version', 'node', 'le']);

/** The page as text, not yet formatted. */
export async function metricsPage() {
  const services = {
    router: await router(),
    shard: await shard(),
    publisher: await publisher(),
    control: await control(),
  };
  const every = services.router.filter(({ name }) => EVERY.includes(name));
  const parts = [INTRO, '## Every service\n', await table(every)];
  for (const [name, metrics] of Object.entries(services)) {
    const own = metrics.filter((metric) => metric.name.startsWith(`weir_${name}_`));
    parts.push(`## ${name[0].toUpperCase()}${name.slice(1)}\n`, await table(own));
  }
  parts.push(INVARIANTS);
  return parts.join('\n');
}

async function table(metrics) {
  const rows = [];
  for (const metric of metrics) {
    const labels = await labelsOf(metric);
    rows.push(
      `| \`${metric.name}\` | ${metric.type} | ${labels} | ${cell(metric.help)} | ${cell(advice[metric.name] ?? '')} |`,
    );
  }
  return [
    '| Metric | Type | Labels | Meaning | What to look at |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** Text in a cell: no tag, no end of the cell. */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** Each label with the values that it has from the start. */
async function labelsOf(metric) {
  const { values } = await metric.get();
  return metric.labelNames
    .map((label) => {
      const known = OPEN_LABELS.has(label) ? [] : [...new Set(values.map(({ labels }) => labels[label]))];
      const list = known.filter((value) => value !== undefined);
      return list.length === 0 ? `\`${label}\`` : `\`${label}\`: ${list.join(', ')}`;
    })
    .join('; ');
}

/** A registry with what the process kit registers; the address is one where nobody is. */
async function kit(service) {
  const { createLogger, createMetricsRegistry, openNats, WEIR_VERSION } = await import(
    '../packages/runtime/dist/index.js'
  );
  const registry = createMetricsRegistry({ service, version: WEIR_VERSION });
  const logger = createLogger({ service, level: 'silent' });
  const link = openNats({ servers: ['nats://127.0.0.1:1'], name: 'docs', logger, registry });
  return { registry, logger, link };
}

async function registered({ registry, link }) {
  await link.close();
  return registry.getMetricsAsArray().filter(({ name }) => name.startsWith('weir_'));
}

async function router() {
  const { createRouterMetrics } = await import('../services/router/dist/metrics.js');
  const parts = await kit('router');
  const metrics = createRouterMetrics(parts.registry);
  metrics.watchEndpoints(() => Number.POSITIVE_INFINITY);
  metrics.watch({
    pools: ['mobile', 'desktop'],
    clients: () => ({ open: 0, closing: 0 }),
    pending: () => 0,
    sockets: () => 0,
    networks: () => 0,
    usedHints: () => 0,
    entries: () => [],
    stale: () => false,
  });
  return registered(parts);
}

async function shard() {
  const { readConfig, systemClock } = await import('../packages/runtime/dist/index.js');
  const { rules, settings } = await import('../services/shard/dist/config.js');
  const { createShardMetrics, exposeReadings } = await import(
    '../services/shard/dist/main-thread/metrics.js'
  );
  const { readings } = await import('../services/shard/dist/main-thread/readings.js');
  const { Shard } = await import('../services/shard/dist/main-thread/shard.js');
  const { numberPlaces } = await import('../services/shard/dist/port/thread-counts.js');
  const parts = await kit('shard');
  const env = {
    WEIR_POOL: 'desktop',
    WEIR_ROUTER_URL: 'ws://127.0.0.1:1',
    WEIR_TICKET_KEYS: `docs:${'A'.repeat(43)}`,
  };
  const { config } = readConfig({ table: settings, rules, env });
  const metrics = createShardMetrics(parts.registry);
  const never = new Shard({ ...parts, config, metrics, clock: systemClock, random: Math.random });
  exposeReadings(parts.registry, readings(never, numberPlaces));
  return registered(parts);
}

async function publisher() {
  const { createPublisherMetrics } = await import('../services/publisher/dist/metrics.js');
  const parts = await kit('publisher');
  createPublisherMetrics(parts.registry, { messagesInFlight: () => 0, requestsUnderWay: () => 0 });
  return registered(parts);
}

async function control() {
  const { createControlMetrics } = await import('../services/control/dist/metrics.js');
  const parts = await kit('control');
  createControlMetrics(parts.registry, []).watch({
    leading: () => false,
    pods: () => ({ measured: 0, starting: 0, silent: 0 }),
    podsAgeMs: () => Number.POSITIVE_INFINITY,
    certificateEndsMs: () => undefined,
  });
  return registered(parts);
}
