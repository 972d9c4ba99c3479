// The dashboard of a whole cluster. Shards have their pool as the label weir_dev_pool, which the scrape adds
// (docs/operations.md says how). Pure.
import { dashboard, labelVariable, lines, number, table } from './grafana.mjs';

const ALL = 'namespace=~"$namespace"';
const SHARDS = `${ALL}, weir_dev_pool=~"$pool"`;
const shard = (name, more = '') => `weir_shard_${name}{${SHARDS}${more}}`;
const router = (name, more = '') => `weir_router_${name}{${ALL}${more}}`;
const publisher = (name, more = '') => `weir_publisher_${name}{${ALL}${more}}`;
const control = (name, more = '') => `weir_control_${name}{${ALL}${more}}`;
const rate = (series) => `rate(${series}[$__rate_interval])`;
const by = (labels, what) => `sum by (${labels}) (${what})`;
const quantile = (q, labels, series) =>
  `histogram_quantile(${q}, ${by([...labels, 'le'].join(', '), rate(series))})`;
/** A line for each value of a label, as events a second. */
const events = (title, label, series, more) =>
  lines(title, 'ops', [[by(label, rate(series)), `{{${label}}}`]], { stacked: true, ...more });

const toShard = {
  title: 'This shard',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
  url: '/d/weir-shard?${datasource:queryparam}&var-shard=${__field.labels.pod}&${__url_time_range}',
};

const wrong = [
  'What is wrong',
  table(
    'Alerts that fire',
    'max by (alertname, severity, weir_dev_pool, pod, stream) (ALERTS{alertname=~"Weir.+", alertstate="firing"})',
    {
      height: 8,
      about:
        'Needs the rules of deploy/prometheus/rules.yaml or of the chart. docs/runbook.md says what to do.',
    },
  ),
  number('Ready shards', 'short', [[by('weir_dev_pool', shard('ready')), '{{weir_dev_pool}}']], {
    redBelow: 1,
  }),
  number('Processes without NATS', 'short', [[`count(weir_nats_connected{${ALL}} == 0) or vector(0)`, '']], {
    redFrom: 1,
  }),
  number('Shards that may be out of date', 'short', [[`sum(${shard('stale')})`, '']], { redFrom: 1 }),
  number(
    'Clients that are not live',
    'percentunit',
    [[`sum(${shard('connections_not_live')}) / clamp_min(sum(${shard('connections')}), 1)`, '']],
    { redFrom: 0.05, about: 'Held back or catching up: their networks are slow, or a shard is.' },
  ),
  number(
    'Clients without a shard, 5 min',
    'short',
    [[`sum(increase(${router('connects_total', ', outcome="noCapacity"')}[5m]))`, '']],
    { redFrom: 1, about: 'The router found no shard with room.' },
  ),
  number('Lost state keys', 'short', [[`max(${shard('lost_state_keys')})`, '']], {
    redFrom: 1,
    about: 'Shards keep them until you write them back: docs/lost-state.md. Do not restart shards.',
  }),
  number(
    'Messages not stored, 1 h',
    'short',
    [[`sum(increase(${control('stream_not_stored_messages_total')}[1h]))`, '']],
    { redFrom: 1 },
  ),
  number('Threads that died, 1 h', 'short', [[`sum(increase(${shard('thread_deaths_total')}[1h]))`, '']], {
    redFrom: 1,
  }),
];

const clients = [
  'Clients',
  lines('Clients by pool', 'short', [[by('weir_dev_pool', shard('connections')), '{{weir_dev_pool}}']], {
    stacked: true,
  }),
  lines('Clients by shard', 'short', [[shard('connections'), '{{pod}}']], { link: toShard }),
  lines('Clients by state', 'short', [[by('state', shard('connections_by_state')), '{{state}}']], {
    stacked: true,
    about: 'congested: gets only critical messages until there is room. behind: catches up.',
  }),
];

const messages = [
  'Messages and bytes',
  lines('Messages published, as one shard sees them', 'ops', [
    [`max by (lane) (${rate(shard('intake_messages_total'))})`, '{{lane}}'],
  ]),
  lines('Frames sent to clients', 'ops', [
    [`sum(${rate(shard('state_sent_total'))})`, 'state'],
    [`sum(${rate(shard('critical_sent_total'))})`, 'critical'],
    [`sum(${rate(shard('cosmetic_sent_total'))})`, 'cosmetic'],
  ]),
  lines('Bytes written by pool', 'Bps', [
    [by('weir_dev_pool', rate(shard('written_bytes_total'))), '{{weir_dev_pool}}'],
  ]),
  lines(
    'Withheld or dropped for slow clients',
    'percentunit',
    [
      [
        `sum(${rate(shard('state_withheld_total'))}) / clamp_min(sum(${rate(shard('state_offered_total'))}), 1)`,
        'state, sent later',
      ],
      [
        `sum(${rate(shard('cosmetic_dropped_total'))}) / clamp_min(sum(${rate(shard('cosmetic_offered_total'))}), 1)`,
        'cosmetic, dropped',
      ],
    ],
    { max: 1 },
  ),
  events('Messages that shards reject', 'reason', shard('intake_rejected_total'), {
    about: 'Each shard counts each. A copy of each is on weir.rejected.',
  }),
  events('Problems with the streams', 'problem', shard('intake_problems_total')),
];

const delivery = [
  'Delivery',
  lines(
    'Delivery lag, 50 % and 95 %',
    's',
    [
      [quantile(0.5, ['weir_dev_pool'], shard('delivery_lag_seconds_bucket')), '{{weir_dev_pool}} 50 %'],
      [quantile(0.95, ['weir_dev_pool'], shard('delivery_lag_seconds_bucket')), '{{weir_dev_pool}} 95 %'],
    ],
    { about: 'Slow clients are in the tail. If the median moves, the cause is the shard or its network.' },
  ),
  lines('Backlog by pool', 'bytes', [
    [by('weir_dev_pool', shard('backlog_bytes')), '{{weir_dev_pool}}'],
    [by('weir_dev_pool', shard('awaited_bytes')), '{{weir_dev_pool}}, late to clients that keep up'],
  ]),
  lines(
    'Tick lateness, 99 %',
    's',
    [[quantile(0.99, ['pod'], shard('tick_lateness_seconds_bucket')), '{{pod}}']],
    {
      link: toShard,
      about: 'Above 0.1 s the shard lacks CPU.',
    },
  ),
];

const ends = [
  'Ends and moves',
  events('Closes by cause', 'cause', shard('closes_total')),
  events('Moves by reason', 'reason', shard('moves_total')),
  events('Upgrades that shards refuse', 'outcome', shard('admissions_total', ', outcome!="admitted"')),
];

const routers = [
  'Routers',
  events('Clients by outcome', 'outcome', router('connects_total')),
  events('Refusals by reason', 'reason', router('refusals_total')),
  events('Measurements by outcome', 'outcome', router('probes_total')),
  lines(
    'Decisions by pool and confidence',
    'ops',
    [[by('pool, confidence', rate(router('classes_total'))), '{{pool}} {{confidence}}']],
    { stacked: true },
  ),
  events('Searches for a shard by result', 'reason', router('placements_total')),
  lines('Time of a measurement', 's', [
    [quantile(0.5, [], router('probe_duration_seconds_bucket')), '50 %'],
    [quantile(0.95, [], router('probe_duration_seconds_bucket')), '95 %'],
  ]),
  events('Hints of clients that come back', 'outcome', router('hints_total')),
  events('Measured again, by new pool', 'result', router('remeasured_total')),
  lines('Shards as routers see them', 'short', [
    [`max by (pool, state) (${router('roster_shards')})`, '{{pool}} {{state}}'],
  ]),
];

const streams = [
  'Streams and publishers',
  lines(
    'Fullness of streams',
    'percentunit',
    [[`max by (stream) (${control('stream_fill_ratio')})`, '{{stream}}']],
    { max: 1, redFrom: 0.8 },
  ),
  lines('Stored messages and bytes', 'short', [
    [`max by (stream) (${control('stream_messages')})`, '{{stream}} messages'],
    [`max by (stream) (${control('stream_bytes')})`, '{{stream}} bytes'],
  ]),
  events('Messages that streams did not store', 'stream', control('stream_not_stored_messages_total')),
  lines(
    'Messages of publishers',
    'ops',
    [[by('lane, outcome', rate(publisher('messages_total'))), '{{lane}} {{outcome}}']],
    { stacked: true },
  ),
  events('Invalid messages by reason', 'reason', publisher('invalid_messages_total')),
  events('Refused requests by reason', 'reason', publisher('refused_requests_total')),
  lines('Time until NATS acknowledged, 99 %', 's', [
    [quantile(0.99, ['lane'], publisher('ack_seconds_bucket')), '{{lane}}'],
  ]),
  lines('Under way in publishers', 'short', [
    [`sum(${publisher('in_flight_messages')})`, 'messages'],
    [`sum(${publisher('in_flight_requests')})`, 'requests'],
  ]),
];

const autoscaling = [
  'Autoscaling',
  lines(
    'Clients per shard',
    'short',
    [[`avg by (weir_dev_pool) (${shard('connections')})`, '{{weir_dev_pool}}']],
    { about: 'The autoscaler aims at 0.75 × the capacity of a shard.' },
  ),
  lines(
    'Awaited bytes per shard',
    'bytes',
    [[`avg by (weir_dev_pool) (${shard('awaited_bytes')})`, '{{weir_dev_pool}}']],
    { about: 'Late to clients that keep up: near 0 at any distance, unless shards are overloaded.' },
  ),
  lines(
    'Busiest thread, mean of the shards',
    'percentunit',
    [
      [
        `avg by (weir_dev_pool) (max by (weir_dev_pool, pod) (${shard('thread_loop_utilisation')}))`,
        '{{weir_dev_pool}}',
      ],
    ],
    { max: 1 },
  ),
  lines('Shards that send reports', 'short', [
    [`count by (weir_dev_pool) (${shard('ready')})`, '{{weir_dev_pool}}'],
  ]),
  events('Rounds of the rebalancer', 'outcome', control('rebalance_rounds_total')),
  lines('Clients that control moved', 'ops', [
    [`sum(${rate(control('moves_asked_total'))})`, 'asked'],
    [`sum(${rate(control('moves_accepted_total'))})`, 'accepted'],
  ]),
  events('Requests of autoscalers', 'outcome', control('metric_queries_total'), {
    about: 'stale: control hears no shards, and autoscalers hold still.',
  }),
  lines('Pods of shards', 'short', [[`max by (state) (${control('pods')})`, '{{state}}']]),
  events('Failed requests to Kubernetes', 'task', control('kubernetes_problems_total')),
];

export function clusterDashboard() {
  return dashboard({
    uid: 'weir-cluster',
    title: 'Weir: cluster',
    description:
      'A cluster of Weir: what is wrong, clients, messages, delivery, routers, streams, autoscaling.',
    variables: [
      labelVariable('namespace', 'label_values(weir_build_info, namespace)', { multi: true }),
      labelVariable('pool', 'label_values(weir_shard_connections{namespace=~"$namespace"}, weir_dev_pool)', {
        multi: true,
      }),
    ],
    sections: [wrong, clients, messages, delivery, ends, routers, streams, autoscaling],
  });
}
