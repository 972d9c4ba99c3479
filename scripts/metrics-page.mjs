// docs/metrics.md from the tables of the services. Starts nothing.
import { INVARIANTS } from './metrics-invariants.mjs';

const INTRO = `# Metrics

<!-- Written by \`node scripts/write-docs.mjs\` from the metrics tables of the services and scripts/metrics-invariants.mjs. -->

Every service serves \`GET /metrics\` in the Prometheus text format on its admin port (\`WEIR_ADMIN_PORT\`; 9090 in the images), beside \`/livez\` and \`/readyz\`. Labels have few and known values: never an id, an address or a channel. A counter with known label values is there from the start with 0, so that its first rise is a rise. Beside the metrics below each service has the process metrics of prom-client (\`process_*\`, \`nodejs_*\`: CPU, memory, event loop lag, garbage collection).
`;

/** The page as text, not yet formatted. */
export async function metricsPage() {
  const { every, ...services } = await metricsTables();
  const parts = [INTRO, '## Every service\n', table(every)];
  for (const [name, rows] of Object.entries(services))
    parts.push(`## ${name[0].toUpperCase()}${name.slice(1)}\n`, table(rows));
  parts.push(INVARIANTS);
  return parts.join('\n');
}

/** The rows of each service, and the rows that every service has; an old name has its own row. */
async function metricsTables() {
  const { asOldName, natsMetrics, processMetrics } = await import('../packages/runtime/dist/index.js');
  const { routerMetrics } = await import('../services/router/dist/metrics.js');
  const { shardMetrics } = await import('../services/shard/dist/main-thread/metrics.js');
  const { publisherMetrics } = await import('../services/publisher/dist/metrics.js');
  const { controlMetrics } = await import('../services/control/dist/metrics.js');
  const rows = (metrics) =>
    Object.values(metrics).flatMap((row) =>
      row.was === undefined ? [row] : [row, { ...asOldName(row, row.was), advice: undefined }],
    );
  return {
    every: rows({ ...processMetrics, ...natsMetrics }),
    router: rows(routerMetrics),
    shard: rows(shardMetrics),
    publisher: rows(publisherMetrics),
    control: rows(controlMetrics),
  };
}

function table(rows) {
  const lines = rows.map(
    ({ name, kind, labels = {}, help, advice = '' }) =>
      `| \`${name}\` | ${kind} | ${labelsOf(labels)} | ${cell(help)} | ${cell(advice)} |`,
  );
  return [
    '| Metric | Type | Labels | Meaning | What to look at |',
    '|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

/** Escapes text for a cell: no tag, no end of the cell. */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** Each label, with its values if the code lists them. */
function labelsOf(labels) {
  return Object.entries(labels)
    .map(([label, values]) => (Array.isArray(values) ? `\`${label}\`: ${values.join(', ')}` : `\`${label}\``))
    .join('; ');
}
