// The metrics of a shard that a scrape sums up from what the fan-out threads have counted. metrics.ts registers them.
import type { BucketCounts, Sample } from '@weir/runtime';
import { CONNECTION_FAULTS, defineMetrics, ENDINGS } from '@weir/runtime';
import { count, gauge, histogram } from '../port/counts.ts';
import { ADMIT_OUTCOMES, CLOSE_CAUSES, MOVE_REASONS, REASSIGN_VERDICTS } from '../port/outcomes.ts';
import type { CountsPart } from '../port/thread-counts.ts';
import type { Shard } from './shard.ts';

const CONNECTION_STATES = ['flowing', 'congested', 'behind', 'closing'] as const;

/** Bounds of the histograms of bytes; between two of them there are one or two of the counted buckets. */
const BYTES_BOUNDS: readonly number[] = [0, 10, 12, 14, 15, 16, 17, 18, 19, 20, 22].map((log2) =>
  log2 === 0 ? 0 : 2 ** log2,
);

export const threadReadings = defineMetrics<Shard>()({
  connections: {
    kind: 'gauge',
    name: 'weir_shard_connections',
    help: 'Open connections',
    advice: 'Against WEIR_CAPACITY',
    read: now(gauge.connections),
  },
  connectionsByState: {
    kind: 'gauge',
    name: 'weir_shard_connections_by_state',
    help: 'Open connections by state. flowing: gets everything; congested: gets only critical messages until there is room; behind: catches up; closing: has got a Close',
    advice:
      'Many `congested`: the limits of the pool are small for what is published, or its clients slow. Many `behind`: many clients have just connected',
    labels: { state: CONNECTION_STATES },
    read: ({ counts }) => CONNECTION_STATES.map((state) => [{ state }, counts.sum('gauges', gauge[state])]),
  },
  groups: {
    kind: 'gauge',
    name: 'weir_shard_groups',
    help: 'Sets of channels that connections of a thread share',
    advice:
      'Clients with the same channels share their writes; as many groups as connections means that none do',
    read: now(gauge.groups),
  },
  connectionsNotLive: {
    kind: 'gauge',
    name: 'weir_shard_connections_not_live',
    was: 'weir_shard_connections_behind',
    help: 'Connections that are not live: congested or catching up',
    advice:
      'Its share of the connections: if many change together, the cause is the network or this shard, not the clients',
    read: now(gauge.notLive),
  },
  backlogBytes: {
    kind: 'gauge',
    name: 'weir_shard_backlog_bytes',
    help: 'Bytes written and not yet proven to have arrived, all connections',
    advice:
      'Grows with slow clients; bounded per connection by hardBytes, or by its window if that is larger',
    read: now(gauge.backlogBytes),
  },
  healthyBacklogBytes: {
    kind: 'gauge',
    name: 'weir_shard_healthy_backlog_bytes',
    help: 'Backlog of the clients that keep up: they get everything and are fast enough for this pool',
    advice: 'Grows with the load and with the distance of the clients. Excludes slow clients',
    read: now(gauge.healthyBacklogBytes),
  },
  awaitedBytes: {
    kind: 'gauge',
    name: 'weir_shard_awaited_bytes',
    help: 'Bytes sent more than two round trips ago to clients that keep up, and not proven to have arrived',
    advice:
      'Near 0 at any distance while the shard keeps up. The HPA uses it: it grows if the shard or its network does not keep up, and shrinks with more shards',
    read: now(gauge.awaitedBytes),
  },
  connectionFaults: {
    kind: 'counter',
    name: 'weir_shard_connection_faults_total',
    help: 'Connections that never became a request: too slow, too large, malformed, or over the limit of sockets',
    advice:
      '`tooMany`, `timeout`: a client holds sockets open, or a load balancer probes with bare TCP. `acceptFailed`: the system has no room for a socket',
    labels: { reason: CONNECTION_FAULTS },
    read: byLabel('reason', 'faults', CONNECTION_FAULTS),
  },
  admissions: {
    kind: 'counter',
    name: 'weir_shard_admissions_total',
    help: 'Upgrade requests by outcome',
    advice:
      '`expired`, `clockSkew`: clocks differ, or clients take longer than a ticket is valid. `forged`: keys differ. `used`: a client tries twice. `full`: the capacity. `drawsTooMuch`: clients of one network reconnect again and again without a position, or the network is large: WEIR_NETWORK_DRAW_BYTES_PER_SECOND. `failed` is a bug of Weir',
    labels: { outcome: ADMIT_OUTCOMES },
    read: byLabel('outcome', 'admissions', ADMIT_OUTCOMES),
  },
  closes: {
    kind: 'counter',
    name: 'weir_shard_closes_total',
    help: 'Connections that end, each once, by cause',
    advice:
      '`lag`: clients whose pongs stopped. `hardBytes`: the same, earlier, because critical messages waited for them. `tooManyMessages`, `protocolError`, `badData`, `tooLarge`: clients that violate the protocol. `tokenExpired`: clients without a fresh token in time. `lost`: networks, or a proxy that cuts. `threadDied` is a bug of Weir',
    labels: { cause: CLOSE_CAUSES },
    read: byLabel('cause', 'closes', CLOSE_CAUSES),
  },
  endings: {
    kind: 'counter',
    name: 'weir_shard_endings_total',
    help: 'Connections whose socket is gone, each once, by how the socket ended',
    advice: '`flooded`: clients that kept sending after the Close. Many `cut`: clients do not answer a Close',
    labels: { how: ENDINGS },
    read: byLabel('how', 'endings', ENDINGS),
  },
  moves: {
    kind: 'counter',
    name: 'weir_shard_moves_total',
    help: 'Clients asked to move, by reason',
    advice:
      '`rebalance`: clients sent to emptier shards of the pool. `tooSlow`, `promote`: clients sent to be measured again',
    labels: { reason: MOVE_REASONS },
    read: byLabel('reason', 'moves', MOVE_REASONS),
  },
  slowPongs: {
    kind: 'counter',
    name: 'weir_shard_slow_pongs_total',
    help: 'Deliveries too late for the pool, by verdict',
    advice:
      '`shardIsSlow`: many clients turned slow together, so the shard moves none: look at the shard, its node and the edge',
    labels: { verdict: REASSIGN_VERDICTS },
    read: byLabel('verdict', 'slow', REASSIGN_VERDICTS),
  },
  fastPongs: {
    kind: 'counter',
    name: 'weir_shard_fast_pongs_total',
    was: 'weir_shard_healthy_pongs_total',
    help: 'Deliveries fast enough for a faster pool, by verdict',
    advice:
      '`move` against `weir_router_remeasured_total{result="faster"}`: how many clients were promoted. `tooNew`: clients must stay longer before a promotion. `shardIsSlow`: as for slow pongs',
    labels: { verdict: REASSIGN_VERDICTS },
    read: byLabel('verdict', 'fast', REASSIGN_VERDICTS),
  },
  stateOffered: {
    kind: 'counter',
    name: 'weir_shard_state_offered_total',
    help: 'State frames offered to connections = sent + withheld',
    advice: 'See the invariants below',
    read: counted(count.stateOffered),
  },
  stateSent: {
    kind: 'counter',
    name: 'weir_shard_state_sent_total',
    help: 'State frames sent with a tick',
    advice: 'See the invariants below',
    read: counted(count.stateSent),
  },
  stateWithheld: {
    kind: 'counter',
    name: 'weir_shard_state_withheld_total',
    help: 'State frames withheld; the shard sends them conflated later',
    advice: 'Its share of the offered: the share of congested clients',
    read: counted(count.stateWithheld),
  },
  cosmeticOffered: {
    kind: 'counter',
    name: 'weir_shard_cosmetic_offered_total',
    help: 'Cosmetic frames offered = sent + dropped',
    advice: 'See the invariants below',
    read: counted(count.cosmeticOffered),
  },
  cosmeticSent: {
    kind: 'counter',
    name: 'weir_shard_cosmetic_sent_total',
    help: 'Cosmetic frames sent',
    advice: 'See the invariants below',
    read: counted(count.cosmeticSent),
  },
  cosmeticDropped: {
    kind: 'counter',
    name: 'weir_shard_cosmetic_dropped_total',
    help: 'Cosmetic frames dropped for connections that are not live',
    advice: 'Its share of the offered',
    read: counted(count.cosmeticDropped),
  },
  criticalSent: {
    kind: 'counter',
    name: 'weir_shard_critical_sent_total',
    help: 'Runs of critical frames sent as they came',
    advice: 'Flat while critical messages arrive: no client is subscribed',
    read: counted(count.criticalSent),
  },
  criticalWithheld: {
    kind: 'counter',
    name: 'weir_shard_critical_withheld_total',
    help: 'Times that critical frames had no room at a connection; the shard sends them later, in order',
    advice:
      'Grows: critical messages come faster than some networks take them, or behind ticks near WEIR_HARD_BYTES',
    read: counted(count.criticalWithheld),
  },
  writes: {
    kind: 'counter',
    name: 'weir_shard_writes_total',
    help: 'Writes to sockets',
    advice: 'Writes per second cost most of the CPU',
    read: counted(count.writes),
  },
  writtenBytes: {
    kind: 'counter',
    name: 'weir_shard_written_bytes_total',
    help: 'Bytes written to sockets',
    advice: 'Egress, before TLS and TCP',
    read: counted(count.bytes),
  },
  deliveredBytes: {
    kind: 'counter',
    name: 'weir_shard_delivered_bytes_total',
    help: 'Bytes proven to have arrived',
    advice: 'Against the bytes written; falls behind them while clients do not drain',
    read: counted(count.deliveredBytes),
  },
  pings: {
    kind: 'counter',
    name: 'weir_shard_pings_total',
    help: 'Pings sent',
    advice: 'Against the pongs: the share that is answered',
    read: counted(count.pings),
  },
  pongs: {
    kind: 'counter',
    name: 'weir_shard_pongs_total',
    help: 'Pongs that proved delivery',
    advice: 'Far fewer than pings: clients or a proxy do not answer',
    read: counted(count.pongs),
  },
  pongsForeign: {
    kind: 'counter',
    name: 'weir_shard_pongs_foreign_total',
    help: 'Pongs that answer none of our pings',
    advice: 'A steady rate: a client invents pongs',
    read: counted(count.pongsForeign),
  },
  catchUps: {
    kind: 'counter',
    name: 'weir_shard_catch_ups_total',
    help: 'Times that a connection caught up',
    advice: 'Rises with congestion, resumes and moves',
    read: counted(count.catchUps),
  },
  congestions: {
    kind: 'counter',
    name: 'weir_shard_congestions_total',
    help: 'Times that a connection became congested',
    advice: 'Its rate against the recoveries: whether clients recover',
    read: counted(count.congested),
  },
  redrawnBytes: {
    kind: 'counter',
    name: 'weir_shard_redrawn_bytes_total',
    help: 'Bytes of snapshots of channels that the client had before on the same connection',
    advice: 'Its share of the written bytes: clients subscribe to the same channels again and again',
    read: counted(count.redrawnBytes),
  },
  subscriptionsDelayed: {
    kind: 'counter',
    name: 'weir_shard_subscriptions_delayed_total',
    help: 'Subscriptions that waited because the client had drawn too many such bytes',
    advice: 'A steady rate: clients at WEIR_REDRAW_BYTES_PER_SECOND',
    read: counted(count.subscriptionsDelayed),
  },
  recoveries: {
    kind: 'counter',
    name: 'weir_shard_recoveries_total',
    help: 'Times that a connection became live',
    advice: 'See the congestions',
    read: counted(count.recovered),
  },
  compressedInBytes: {
    kind: 'counter',
    name: 'weir_shard_compressed_in_bytes_total',
    help: 'Bytes of frames before compression, each frame once for all clients that share it',
    advice: 'Against `compressed_out`: the ratio. Near 1 means that compression costs CPU for nothing',
    read: (shard) => shard.deflater.counts.inBytes + shard.counts.sum('fanOut', count.deflateInBytes),
  },
  compressedOutBytes: {
    kind: 'counter',
    name: 'weir_shard_compressed_out_bytes_total',
    help: 'Bytes of the same frames compressed',
    advice: 'Against `compressed_in`',
    read: (shard) => shard.deflater.counts.outBytes + shard.counts.sum('fanOut', count.deflateOutBytes),
  },
  deliveryLagSeconds: {
    kind: 'histogram',
    name: 'weir_shard_delivery_lag_seconds',
    help: 'Time until the ping after a frame was answered: network and client together',
    advice: 'Slow clients are in the tail; if the median moves, it is the shard or its network',
    buckets: histogram.lagBounds,
    read: lagHistogram,
  },
  socketQueueBytes: {
    kind: 'histogram',
    name: 'weir_shard_socket_queue_bytes',
    was: 'weir_shard_buffered_bytes',
    help: 'Bytes in the queue of a socket in this process when a batch is written to it',
    advice:
      'Above 0: the kernel takes no more for that client. Against the backlog: what kernels and proxies hold',
    buckets: BYTES_BOUNDS,
    read: bytesHistogram(histogram.buffered),
  },
  connectionBacklogBytes: {
    kind: 'histogram',
    name: 'weir_shard_connection_backlog_bytes',
    help: 'Backlog of a connection when a batch is written to it',
    advice: 'How many clients are near WEIR_SOFT_BYTES and WEIR_HARD_BYTES',
    buckets: BYTES_BOUNDS,
    read: bytesHistogram(histogram.backlog),
  },
});

function counted(place: number): (shard: Shard) => number {
  return ({ counts }) => counts.sum('fanOut', place);
}

function now(place: number): (shard: Shard) => number {
  return ({ counts }) => counts.sum('gauges', place);
}

/** One sample for each name: its count is at the name's place in the list. */
function byLabel(
  label: string,
  part: CountsPart,
  names: readonly string[],
): (shard: Shard) => readonly Sample[] {
  return ({ counts }) => names.map((name, place) => [{ [label]: name }, counts.sum(part, place)]);
}

function bytesHistogram(at: number): (shard: Shard) => BucketCounts {
  // The upper bounds of the threads' buckets are 0, 1, 2, 4 … bytes.
  const bucketOf = (bound: number): number => (bound === 0 ? 0 : Math.log2(bound) + 1);
  const ends = [...BYTES_BOUNDS.map(bucketOf), histogram.bytesBuckets - 1];
  return ({ counts }) => {
    let from = 0;
    const buckets = ends.map((end) => {
      let sum = 0;
      for (; from <= end; from++) sum += counts.sum('histograms', at + from);
      return sum;
    });
    return { buckets, sum: counts.sum('histograms', at + histogram.bytesBuckets) };
  };
}

function lagHistogram({ counts }: Shard): BucketCounts {
  const { lag, lagBounds } = histogram;
  const buckets = Array.from({ length: lagBounds.length + 1 }, (_, place) =>
    counts.sum('histograms', lag + place),
  );
  return { buckets, sum: counts.sum('histograms', lag + lagBounds.length + 1) };
}
