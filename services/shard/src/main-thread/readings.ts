// The numbers of a running shard that a scrape reads, by the name of their series: those of the main thread's stages,
// and the sums of what its fan-out threads have counted.
import type { CountsPart, NumberPlaces } from '../port/thread-counts.ts';
import type { HistogramReading, ShardReadings } from './metrics.ts';
import type { Shard } from './shard.ts';

/** Bounds of the histograms of bytes; between two of them there are one or two of the counted buckets. */
const BYTES_BOUNDS: readonly number[] = [0, 10, 12, 14, 15, 16, 17, 18, 19, 20, 22].map((log2) =>
  log2 === 0 ? 0 : 2 ** log2,
);

/** All gauges and counters that live in the stages as plain numbers. */
export function readings(shard: Shard, places: NumberPlaces): ShardReadings {
  const { encoder, deflater, intake, counts, flags, threads } = shard;
  const { count, gauge, histogram, labels } = places;
  const counted = (help: string, place: number): { help: string; read: () => number } => ({
    help,
    read: () => counts.sum('fanOut', place),
  });
  const now = (help: string, place: number): { help: string; read: () => number } => ({
    help,
    read: () => counts.sum('gauges', place),
  });
  const labelled = (
    help: string,
    label: string,
    part: CountsPart,
    names: readonly string[],
  ): ShardReadings['counters'][string] => ({
    help,
    label,
    values: () => names.map((name, place) => [name, counts.sum(part, place)] as const),
  });
  const linked = (key: 'handOvers' | 'bytes' | 'mergedTicks' | 'cosmeticDropped'): (() => number) => {
    return () => threads.linkCounts(key);
  };
  const ofBytes = (help: string, at: number): HistogramReading => ({
    help,
    bounds: BYTES_BOUNDS,
    read: () => {
      // Counted: 0, then up to 1, 2, 4 … bytes.
      const bucketOf = (bound: number): number => (bound === 0 ? 0 : Math.log2(bound) + 1);
      const ends = [...BYTES_BOUNDS.map(bucketOf), histogram.bytesBuckets - 1];
      let from = 0;
      const buckets = ends.map((end) => {
        let sum = 0;
        for (; from <= end; from++) sum += counts.sum('histograms', at + from);
        return sum;
      });
      return { buckets, sum: counts.sum('histograms', at + histogram.bytesBuckets) };
    },
  });
  return {
    gauges: {
      connections: now('Open connections', gauge.connections),
      connections_by_state: {
        help: 'Open connections by what they get: everything, critical messages alone until there is room, what they miss, or a Close',
        label: 'state',
        values: () => [
          ['flowing', counts.sum('gauges', gauge.flowing)],
          ['congested', counts.sum('gauges', gauge.congested)],
          ['behind', counts.sum('gauges', gauge.behind)],
          ['closing', counts.sum('gauges', gauge.closing)],
        ],
      },
      groups: now('Sets of channels that connections of a thread share', gauge.groups),
      connections_behind: now('Connections that catch up', gauge.notLive),
      open_sockets: { help: 'Open sockets, connections included', read: () => shard.openSockets },
      draining_shards: {
        help: 'Shards of the pool that drain and share the pace of moves, as this one hears while it drains; else 0',
        read: () => shard.drains.pace.shards,
      },
      handshakes_pending: { help: 'Handshakes under way', read: () => flags.pending },
      used_tickets: { help: 'Tickets that are remembered as used', read: () => shard.arrivals.usedTickets },
      drawing_networks: {
        help: 'Networks that are remembered for the snapshots that they drew by connecting',
        read: () => shard.arrivals.networks,
      },
      backlog_bytes: now(
        'Bytes written and not yet proven to have arrived, all connections',
        gauge.backlogBytes,
      ),
      healthy_backlog_bytes: now(
        'The part of it of connections that get everything and are not too slow for this pool',
        gauge.healthyBacklogBytes,
      ),
      awaited_bytes: now(
        'Bytes of such connections that were sent more than a healthy round trip ago and are not proven to have arrived',
        gauge.awaitedBytes,
      ),
      stale: {
        help: '1 while what is served may be behind what was published',
        read: () => (intake.stale ? 1 : 0),
      },
      ready: { help: '1 while new clients are welcome', read: () => (shard.health().ready ? 1 : 0) },
      state_channels: { help: 'Channels with state', read: () => shard.lanes.state.channels },
      state_keys: { help: 'State keys that have a value', read: () => shard.lanes.state.liveKeys },
      state_deletions: {
        help: 'State deletions that are remembered',
        read: () => shard.lanes.state.rememberedDeletions,
      },
      state_bytes: { help: 'Bytes of the state lane', read: () => shard.lanes.state.bytes },
      lost_state_keys: {
        help: 'Keys that the state stream has lost and that are kept to be written back',
        read: () => shard.losses.kept.keys,
      },
      lost_state_bytes: { help: 'Bytes of these keys and their values', read: () => shard.losses.kept.bytes },
      critical_messages: {
        help: 'Critical messages that are kept',
        read: () => shard.lanes.critical.messages,
      },
      critical_bytes: { help: 'Bytes of the critical lane', read: () => shard.lanes.critical.bytes },
      threads: { help: 'Threads that write to clients and are alive', read: () => [...threads].length },
      thread_loop_utilisation: {
        help: 'Part of the last second that a thread was busy, 0 to 1',
        label: 'thread',
        values: () => [...threads].map(({ index, loopUtilisation }) => [String(index), loopUtilisation]),
      },
      hand_overs_outstanding: {
        help: 'Hand-overs that threads have not written yet, at most one a thread',
        read: () => [...threads].reduce((sum, { link }) => sum + link.outstanding, 0),
      },
    },
    counters: {
      connection_faults_total: labelled(
        'Connections that never became a request: too slow, too large, malformed, or over the limit of sockets',
        'reason',
        'faults',
        labels.faults,
      ),
      admissions_total: labelled('Upgrade requests by outcome', 'outcome', 'admissions', labels.admissions),
      closes_total: labelled(
        'Connections whose end is decided, each once, by cause',
        'cause',
        'closes',
        labels.closes,
      ),
      endings_total: labelled(
        'Connections whose socket is gone, each once, by how it ended',
        'how',
        'endings',
        labels.endings,
      ),
      moves_total: labelled('Clients asked to move, by reason', 'reason', 'moves', labels.moves),
      slow_pongs_total: labelled(
        'Deliveries too late for the pool, by what followed',
        'verdict',
        'slow',
        labels.verdicts,
      ),
      healthy_pongs_total: labelled(
        'Deliveries of clients well enough for a faster pool, by what followed',
        'verdict',
        'healthy',
        labels.verdicts,
      ),
      state_offered_total: counted(
        'State frames offered to connections = sent + withheld',
        count.stateOffered,
      ),
      state_sent_total: counted('State frames sent with a tick', count.stateSent),
      state_withheld_total: counted('State frames withheld; they come conflated later', count.stateWithheld),
      cosmetic_offered_total: counted('Cosmetic frames offered = sent + dropped', count.cosmeticOffered),
      cosmetic_sent_total: counted('Cosmetic frames sent', count.cosmeticSent),
      cosmetic_dropped_total: counted(
        'Cosmetic frames dropped for connections that are behind',
        count.cosmeticDropped,
      ),
      critical_sent_total: counted('Runs of critical frames sent as they came', count.criticalSent),
      critical_withheld_total: counted(
        'Times that critical frames had no room at a connection; they come later, in order',
        count.criticalWithheld,
      ),
      writes_total: counted('Writes to sockets', count.writes),
      written_bytes_total: counted('Bytes written to sockets', count.bytes),
      delivered_bytes_total: counted('Bytes proven to have arrived', count.deliveredBytes),
      pings_total: counted('Pings sent', count.pings),
      pongs_total: counted('Pongs that proved delivery', count.pongs),
      pongs_foreign_total: counted('Pongs that answer none of our pings', count.pongsForeign),
      catch_ups_total: counted('Times that a connection was given what it missed', count.catchUps),
      congestions_total: counted('Times that a connection became congested', count.congested),
      redrawn_bytes_total: counted(
        'Bytes of snapshots of channels that the client had before on the same connection',
        count.redrawnBytes,
      ),
      subscriptions_delayed_total: counted(
        'Subscriptions that had to wait because the client had drawn too many such bytes',
        count.subscriptionsDelayed,
      ),
      recoveries_total: counted('Times that a connection became live', count.recovered),
      frames_encoded_total: { help: 'Frames built', read: () => encoder.counts.frames },
      encoded_bytes_total: { help: 'Bytes of frames built', read: () => encoder.counts.bytes },
      compressed_in_bytes_total: {
        help: 'Bytes of frames before they were compressed, once for all who share them',
        read: () => deflater.counts.inBytes + counts.sum('fanOut', count.deflateInBytes),
      },
      compressed_out_bytes_total: {
        help: 'Bytes of the same frames compressed',
        read: () => deflater.counts.outBytes + counts.sum('fanOut', count.deflateOutBytes),
      },
      state_keys_encoded_total: {
        help: 'State values in frames of ticks',
        read: () => encoder.counts.stateKeys,
      },
      state_evicted_deletions_total: {
        help: 'State deletions that were forgotten before their time, for the room of values',
        read: () => shard.lanes.state.evictedDeletions,
      },
      state_lost_keys_total: {
        help: 'Keys with a value that a later epoch of the state stream does not have',
        read: () => shard.losses.kept.lostKeys,
      },
      lost_state_discarded_keys_total: {
        help: 'Kept keys that were given up: by request, after WEIR_LOST_STATE_MS, or for want of room',
        read: () => shard.losses.kept.discardedKeys,
      },
      critical_lost_messages_total: {
        help: 'Critical messages within their time that a later epoch of the critical stream does not have',
        read: () => shard.losses.criticalMessages,
      },
      critical_dropped_total: {
        help: 'Critical messages that were dropped before their age, by the limit that they gave way to',
        label: 'limit',
        values: () => Object.entries(shard.lanes.criticalDrops),
      },
      hand_overs_total: { help: 'Hand-overs to threads', read: linked('handOvers') },
      hand_over_bytes_total: { help: 'Bytes of hand-overs', read: linked('bytes') },
      merged_ticks_total: {
        help: 'Ticks that went with a later hand-over because a thread was behind',
        read: linked('mergedTicks'),
      },
      merged_cosmetic_dropped_total: {
        help: 'Runs of cosmetic frames of such ticks, which are dropped',
        read: linked('cosmeticDropped'),
      },
      thread_deaths_total: { help: 'Threads that ended and were replaced', read: () => threads.deaths },
    },
    histograms: {
      delivery_lag_seconds: {
        help: 'Time until a ping behind a frame was answered: network and client together',
        bounds: histogram.lagBounds,
        read: () => ({
          buckets: Array.from({ length: histogram.lagBounds.length + 1 }, (_, place) =>
            counts.sum('histograms', histogram.lag + place),
          ),
          sum: counts.sum('histograms', histogram.lag + histogram.lagBounds.length + 1),
        }),
      },
      buffered_bytes: ofBytes(
        'Bytes in the own queue of a socket when a batch is written to it',
        histogram.buffered,
      ),
      connection_backlog_bytes: ofBytes(
        'Backlog of a connection when a batch is written to it',
        histogram.backlog,
      ),
    },
  };
}
