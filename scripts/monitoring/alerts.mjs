// The alerts: as rules for any Prometheus, and as the file that the chart puts into a PrometheusRule. docs/runbook.md has
// a section for each. Pure.
import { stringify } from 'yaml';

const ALERTS = [
  {
    alert: 'WeirNoReadyShard',
    // A pool without any shard has no series; what was scraped in the last hour says that it should have some.
    expr: 'sum by (weir_dev_pool) (count_over_time(weir_shard_ready[1h])) unless sum by (weir_dev_pool) (weir_shard_ready) > 0',
    for: '1m',
    severity: 'critical',
    summary: 'Pool {{ $labels.weir_dev_pool }} has no ready shard',
  },
  {
    alert: 'WeirNoCapacity',
    expr: 'sum(rate(weir_router_connects_total{outcome="noCapacity"}[5m])) > 0',
    for: '2m',
    severity: 'critical',
    summary: 'Routers find no shard with room: clients are turned away and try again later',
  },
  {
    alert: 'WeirShardStale',
    expr: 'weir_shard_stale == 1',
    for: '1m',
    severity: 'warning',
    summary:
      'Shard {{ $labels.pod }} may serve less than was published: NATS is away, or its streams cannot be read',
  },
  {
    alert: 'WeirClientsBehind',
    expr: 'weir_shard_connections_not_live > 0.05 * weir_shard_connections and weir_shard_connections > 100',
    for: '5m',
    severity: 'warning',
    summary:
      'More than 5 % of the clients of {{ $labels.pod }} are not live: their networks are slow, or the shard is. More pods do not make slow clients faster',
  },
  {
    alert: 'WeirEvictions',
    expr: 'sum by (pod) (rate(weir_shard_closes_total{cause=~"hardBytes|lag"}[5m])) > 1',
    for: '10m',
    severity: 'warning',
    summary: 'Shard {{ $labels.pod }} closes more than one slow client a second',
  },
  {
    alert: 'WeirNatsAway',
    expr: 'weir_nats_connected == 0',
    for: '1m',
    severity: 'critical',
    summary: '{{ $labels.pod }} has no connection to NATS',
  },
  {
    alert: 'WeirTicksLate',
    expr: 'histogram_quantile(0.99, sum by (pod, le) (rate(weir_shard_tick_lateness_seconds_bucket[5m]))) > 0.1',
    for: '10m',
    severity: 'warning',
    summary: 'Shard {{ $labels.pod }} is late with its ticks',
  },
  {
    alert: 'WeirStateStreamFilling',
    expr: 'max(weir_control_stream_fill_ratio{stream="state"}) > 0.8',
    for: '5m',
    severity: 'critical',
    summary:
      'The state stream is more than 80 % full; when it is full, NATS refuses new keys without telling plain publishers. Raise WEIR_STREAM_MAX_BYTES, or delete keys',
  },
  {
    alert: 'WeirCriticalStreamFull',
    expr: 'max(weir_control_stream_fill_ratio{stream="critical"}) > 0.95',
    for: '15m',
    severity: 'warning',
    summary:
      'The critical stream is full: it drops messages before WEIR_CRITICAL_MAX_AGE_MS, and clients that reconnect late get a gap',
  },
  {
    alert: 'WeirMessagesNotStored',
    expr: 'sum by (stream) (increase(weir_control_stream_not_stored_messages_total[10m])) > 0',
    severity: 'critical',
    summary:
      'The {{ $labels.stream }} stream did not store published messages: they are lost. It is full, or publishers are faster than the server',
  },
  {
    alert: 'WeirStateLost',
    expr: 'max by (weir_dev_pool) (weir_shard_lost_state_keys) > 0',
    severity: 'critical',
    summary:
      'The state stream has lost keys; the shards of pool {{ $labels.weir_dev_pool }} keep {{ $value }} of them. Do not restart shards; docs/lost-state.md says how to write them back or to discard them',
  },
  {
    alert: 'WeirCriticalLost',
    expr: 'max by (weir_dev_pool) (increase(weir_shard_critical_lost_messages_total[10m])) > 0',
    severity: 'critical',
    summary:
      'The critical stream has lost messages within their retention time: it became empty, went back or was purged. Clients that lacked them get a gap (docs/lost-state.md)',
  },
];

const NOTE =
  '# Written by node scripts/write-docs.mjs from scripts/monitoring/alerts.mjs. docs/runbook.md says what to do.\n';

/** deploy/prometheus/rules.yaml: for a Prometheus that sees one cluster of Weir. */
export function rulesFile() {
  return `${NOTE}${text({ groups: [{ name: 'weir', rules: ALERTS.map((alert) => rule(alert)) }] })}`;
}

/** The rules of the chart: of one namespace, since a Prometheus sees many. */
export function chartRules() {
  const ofNamespace = ({ expr, ...alert }) => rule({ ...alert, expr: inNamespace(expr, '@NAMESPACE@') });
  return `${NOTE}${text(ALERTS.map(ofNamespace))}`;
}

function rule({ alert, expr, for: wait, severity, summary }) {
  const runbook = `docs/runbook.md#${alert.toLowerCase()}`;
  return {
    alert,
    expr,
    ...(wait === undefined ? {} : { for: wait }),
    labels: { severity },
    annotations: { summary, runbook },
  };
}

/** Every series of Weir in the expression with a matcher for its namespace. */
function inNamespace(expr, namespace) {
  return expr.replaceAll(/\b(weir_(?!dev_)\w+)(?:\{([^}]*)\})?/g, (_, name, matchers) => {
    const all = [`namespace="${namespace}"`, ...(matchers === undefined ? [] : [matchers])];
    return `${name}{${all.join(', ')}}`;
  });
}

function text(value) {
  return stringify(value, { lineWidth: 0 });
}
