// The dashboard of one shard: everything that its /metrics says about clients, ticks, threads and memory. Pure.
import { dashboard, heatmap, labelVariable, lines, number, table } from './grafana.mjs';

const SHARD = 'namespace=~"$namespace", pod="$shard"';
const own = (name, more = '') => `weir_shard_${name}{${SHARD}${more}}`;
const node = (name) => `${name}{${SHARD}}`;
const rate = (series) => `rate(${series}[$__rate_interval])`;
const by = (label, what) => `sum by (${label}) (${what})`;
const quantile = (q, series) => `histogram_quantile(${q}, ${by('le', rate(`${series}`))})`;
const events = (title, label, series, more) =>
  lines(title, 'ops', [[by(label, rate(series)), `{{${label}}}`]], { stacked: true, ...more });
const rates = (title, unit, named, more) =>
  lines(
    title,
    unit,
    named.map(([name, legend]) => [rate(own(name)), legend]),
    more,
  );
const values = (title, unit, named, more) =>
  lines(
    title,
    unit,
    named.map(([name, legend]) => [own(name), legend]),
    more,
  );
const spread = (title, unit, name, more) =>
  heatmap(title, unit, by('le', `increase(${own(`${name}_bucket`)}[$__rate_interval])`), more);

const now = [
  'Now',
  number('Clients', 'short', [[own('connections'), '']]),
  number('Takes new clients', 'short', [[own('ready'), '']], { redBelow: 1, about: '1: yes' }),
  number('May be out of date', 'short', [[own('stale'), '']], {
    redFrom: 1,
    about: '1: it cannot read NATS or its streams',
  }),
  number('Without NATS', 'short', [[`1 - ${node('weir_nats_connected')}`, '']], { redFrom: 1 }),
  number('Threads', 'short', [[own('threads'), '']], { redBelow: 1 }),
  number('Runs for', 's', [[`time() - ${node('process_start_time_seconds')}`, '']]),
  table(
    'Alerts of this shard',
    'max by (alertname, severity) (ALERTS{alertname=~"Weir.+", alertstate="firing", pod="$shard"})',
    {
      width: 12,
      height: 5,
    },
  ),
  table('Release', `max by (version, node) (${node('weir_build_info')})`, { width: 12, height: 5 }),
];

const clients = [
  'Clients',
  lines('Clients by state', 'short', [[by('state', own('connections_by_state')), '{{state}}']], {
    stacked: true,
    about:
      'flowing: gets everything. congested: gets only critical messages until there is room. behind: catches up. closing: has got a Close.',
  }),
  events('Upgrades by outcome', 'outcome', own('admissions_total')),
  events('Closes by cause', 'cause', own('closes_total')),
  events('How sockets ended', 'how', own('endings_total')),
  events('Moves by reason', 'reason', own('moves_total')),
  values('Sockets', 'short', [
    ['open_sockets', 'open'],
    ['connections', 'clients'],
    ['handshakes_pending', 'handshakes'],
  ]),
  events('Connections that never became a request', 'reason', own('connection_faults_total')),
  events('Clients that resumed', 'outcome', own('resumes_total')),
  events('Requests to send clients away', 'outcome', own('shed_requests_total')),
];

const backlog = [
  'Backlog',
  spread('Backlog of connections', 'bytes', 'connection_backlog_bytes', {
    width: 12,
    about:
      'At each write: bytes written and not proven to have arrived. Above WEIR_SOFT_BYTES a client is congested.',
  }),
  spread('Queues of sockets', 'bytes', 'socket_queue_bytes', {
    width: 12,
    about:
      'At each write: bytes in the queue of the socket in this process. Above WEIR_HARD_BYTES a client is evicted.',
  }),
  values('Backlog of all connections', 'bytes', [
    ['backlog_bytes', 'all'],
    ['healthy_backlog_bytes', 'clients that keep up'],
    ['awaited_bytes', 'late to clients that keep up'],
  ]),
  values('Clients that are not live', 'short', [['connections_not_live', 'not live']]),
  rates('Congestions and recoveries', 'ops', [
    ['congestions_total', 'became congested'],
    ['recoveries_total', 'became live'],
    ['catch_ups_total', 'caught up'],
  ]),
];

const delivery = [
  'Delivery',
  spread('Delivery lag', 's', 'delivery_lag_seconds', { width: 12 }),
  lines(
    'Delivery lag',
    's',
    [
      [quantile(0.5, own('delivery_lag_seconds_bucket')), '50 %'],
      [quantile(0.95, own('delivery_lag_seconds_bucket')), '95 %'],
      [quantile(0.99, own('delivery_lag_seconds_bucket')), '99 %'],
    ],
    { width: 12 },
  ),
  rates('Pings and pongs', 'ops', [
    ['pings_total', 'pings'],
    ['pongs_total', 'pongs'],
    ['pongs_foreign_total', 'pongs to none of our pings'],
  ]),
  events('Too slow for the pool, by verdict', 'verdict', own('slow_pongs_total')),
  events('Fast enough for a faster pool, by verdict', 'verdict', own('fast_pongs_total')),
];

const slow = [
  'What slow clients do not get',
  rates('State', 'ops', [
    ['state_offered_total', 'offered'],
    ['state_withheld_total', 'withheld, sent later'],
  ]),
  rates('Cosmetic', 'ops', [
    ['cosmetic_offered_total', 'offered'],
    ['cosmetic_dropped_total', 'dropped'],
  ]),
  rates('Critical', 'ops', [
    ['critical_sent_total', 'sent as they came'],
    ['critical_withheld_total', 'withheld, sent later in order'],
  ]),
  events('Evictions', 'cause', own('closes_total', ', cause=~"hardBytes|lag|cutOff"'), {
    about:
      'hardBytes: too much waits for the client. lag: it proved nothing for too long. cutOff: the network of the shard itself was gone.',
  }),
  rates('Snapshots that clients draw again', 'Bps', [['redrawn_bytes_total', 'bytes']]),
  rates('Subscriptions that waited', 'ops', [['subscriptions_delayed_total', 'waited']]),
];

const ticks = [
  'Ticks and threads',
  spread('Tick lateness', 's', 'tick_lateness_seconds'),
  lines(
    'Tick lateness',
    's',
    [
      [quantile(0.5, own('tick_lateness_seconds_bucket')), '50 %'],
      [quantile(0.99, own('tick_lateness_seconds_bucket')), '99 %'],
    ],
    { redFrom: 0.1 },
  ),
  lines('Busy part of each thread', 'percentunit', [[own('thread_loop_utilisation'), 'thread {{thread}}']], {
    max: 1,
  }),
  lines('Event loop lag of the main thread', 's', [[node('nodejs_eventloop_lag_p99_seconds'), '99 %']]),
  rates('Hand-overs to threads', 'ops', [
    ['hand_overs_total', 'hand-overs'],
    ['merged_ticks_total', 'ticks merged into a later one'],
    ['thread_deaths_total', 'threads that died'],
  ]),
  values('Hand-overs that are not written yet', 'short', [
    ['hand_overs_outstanding', 'outstanding'],
    ['threads', 'threads'],
  ]),
];

const egress = [
  'Egress',
  rates('Bytes', 'Bps', [
    ['written_bytes_total', 'written'],
    ['delivered_bytes_total', 'proven to have arrived'],
  ]),
  rates('Writes and frames', 'ops', [
    ['writes_total', 'writes to sockets'],
    ['frames_encoded_total', 'frames built'],
    ['state_keys_encoded_total', 'state values in them'],
  ]),
  rates('Bytes of frames', 'Bps', [
    ['encoded_bytes_total', 'built'],
    ['hand_over_bytes_total', 'handed to threads'],
    ['compressed_in_bytes_total', 'before compression'],
    ['compressed_out_bytes_total', 'compressed'],
  ]),
];

const lanes = [
  'Intake and lanes',
  events('Messages from NATS by lane', 'lane', own('intake_messages_total')),
  events('Rejected messages', 'reason', own('intake_rejected_total')),
  events('Problems with the streams', 'problem', own('intake_problems_total')),
  values('State', 'short', [
    ['state_channels', 'channels'],
    ['state_keys', 'keys'],
    ['state_deletions', 'deletions'],
    ['lost_state_keys', 'lost keys that it keeps'],
  ]),
  values('Bytes of lanes', 'bytes', [
    ['state_bytes', 'state'],
    ['critical_bytes', 'critical'],
    ['lost_state_bytes', 'lost keys'],
  ]),
  lines('Dropped early', 'ops', [
    [by('limit', rate(own('critical_dropped_total'))), 'critical, limit {{limit}}'],
    [rate(own('intake_cosmetic_dropped_total')), 'cosmetic'],
    [rate(own('state_evicted_deletions_total')), 'state deletions'],
  ]),
];

const memory = [
  'Memory and CPU',
  lines('Memory', 'bytes', [
    [node('process_resident_memory_bytes'), 'resident'],
    [node('nodejs_heap_size_used_bytes'), 'heap'],
    [node('nodejs_external_memory_bytes'), 'external'],
  ]),
  lines('CPU', 'percentunit', [[rate(node('process_cpu_seconds_total')), 'cores']]),
  lines('Garbage collection', 'percentunit', [
    [by('kind', rate(node('nodejs_gc_duration_seconds_sum'))), '{{kind}}'],
  ]),
];

export function shardDashboard() {
  return dashboard({
    uid: 'weir-shard',
    title: 'Weir: one shard',
    description: 'One shard of Weir: clients, backlog, delivery, ticks, threads, egress, lanes, memory.',
    variables: [
      labelVariable('namespace', 'label_values(weir_build_info, namespace)', { multi: true }),
      labelVariable('pool', 'label_values(weir_shard_connections{namespace=~"$namespace"}, weir_dev_pool)', {
        multi: true,
      }),
      labelVariable(
        'shard',
        'label_values(weir_shard_connections{namespace=~"$namespace", weir_dev_pool=~"$pool"}, pod)',
        { multi: false },
      ),
    ],
    sections: [now, clients, backlog, delivery, slow, ticks, egress, lanes, memory],
  });
}
