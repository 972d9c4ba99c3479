// The metrics of a shard that a scrape reads from the stages of the main thread. metrics.ts registers them.
import { defineMetrics, NAMES } from '@weir/runtime';
import type { Shard } from './shard.ts';

const STREAMS = ['state', 'critical'] as const;
const DROP_LIMITS = ['perChannel', 'bytes'] as const;

export const mainReadings = defineMetrics<Shard>()({
  openSockets: {
    kind: 'gauge',
    name: 'weir_shard_open_sockets',
    help: 'Open sockets, connections included',
    advice: 'Against WEIR_CAPACITY + WEIR_MAX_PENDING; 256 more get a refusal',
    read: (shard) => shard.openSockets,
  },
  drainingShards: {
    kind: 'gauge',
    name: 'weir_shard_draining_shards',
    help: 'Shards of the pool that drain now and share the pace of moves, as this shard hears while it drains; otherwise 0',
    advice: 'Above drain.together of the chart: they may move clients faster than one shard would',
    read: (shard) => shard.drains.pace.shards,
  },
  handshakesPending: {
    kind: 'gauge',
    name: 'weir_shard_handshakes_pending',
    help: 'Handshakes under way',
    advice: 'Against WEIR_MAX_PENDING',
    read: (shard) => shard.flags.pending,
  },
  usedTickets: {
    kind: 'gauge',
    name: 'weir_shard_used_tickets',
    help: 'Used tickets that the shard remembers',
    advice: 'Against WEIR_MAX_USED_TICKETS',
    read: (shard) => shard.arrivals.usedTickets,
  },
  drawingNetworks: {
    kind: 'gauge',
    name: 'weir_shard_drawing_networks',
    help: 'Networks whose drawn snapshots the shard remembers',
    advice: 'At WEIR_MAX_NETWORKS the least recent are forgotten',
    read: (shard) => shard.arrivals.networks,
  },
  stale: {
    kind: 'gauge',
    name: 'weir_shard_stale',
    help: '1 while the shard may serve less than was published',
    advice: '1 for more than a few seconds: NATS is away, or the streams cannot be read',
    read: (shard) => (shard.intake.stale ? 1 : 0),
  },
  ready: {
    kind: 'gauge',
    name: 'weir_shard_ready',
    help: '1 while the shard takes new clients',
    advice: '0 outside start and drain',
    read: (shard) => (shard.health().ready ? 1 : 0),
  },
  streamSequence: {
    kind: 'gauge',
    name: 'weir_shard_stream_sequence',
    help: 'Sequence up to which the shard has read a stream',
    advice:
      'Rises at the same pace on all shards. A shard that stays below the others has not read as many messages',
    labels: { stream: STREAMS },
    read: ({ intake }) => STREAMS.map((stream) => [{ stream }, intake.seqOf(stream)]),
  },
  stateChannels: {
    kind: 'gauge',
    name: 'weir_shard_state_channels',
    help: 'Channels with state',
    advice: 'One for each name that ever had state. Endless growth: a publisher invents names',
    read: (shard) => shard.lanes.state.channels,
  },
  stateKeys: {
    kind: 'gauge',
    name: 'weir_shard_state_keys',
    help: 'State keys that have a value',
    advice: 'Against WEIR_STATE_MAX_KEYS',
    read: (shard) => shard.lanes.state.liveKeys,
  },
  stateDeletions: {
    kind: 'gauge',
    name: 'weir_shard_state_deletions',
    help: 'State deletions that the shard remembers',
    advice: 'With the keys never more than WEIR_STATE_MAX_KEYS',
    read: (shard) => shard.lanes.state.rememberedDeletions,
  },
  stateBytes: {
    kind: 'gauge',
    name: 'weir_shard_state_bytes',
    help: 'Bytes of the state lane',
    advice: 'Against WEIR_STATE_MAX_BYTES',
    read: (shard) => shard.lanes.state.bytes,
  },
  lostStateKeys: {
    kind: 'gauge',
    name: 'weir_shard_lost_state_keys',
    help: 'Keys that the state stream has lost and that the shard keeps to be written back',
    advice:
      'Above 0: the stream became empty, went back or was purged. docs/lost-state.md, before any shard is restarted',
    read: (shard) => shard.losses.kept.keys,
  },
  lostStateBytes: {
    kind: 'gauge',
    name: 'weir_shard_lost_state_bytes',
    help: 'Bytes of these keys and their values',
    advice: 'Memory beside the state lane, at most WEIR_STATE_MAX_BYTES',
    read: (shard) => shard.losses.kept.bytes,
  },
  criticalMessages: {
    kind: 'gauge',
    name: 'weir_shard_critical_messages',
    help: 'Critical messages that the shard keeps',
    advice: 'The messages that clients can still get when they resume',
    read: (shard) => shard.lanes.critical.messages,
  },
  criticalBytes: {
    kind: 'gauge',
    name: 'weir_shard_critical_bytes',
    help: 'Bytes of the critical lane',
    advice:
      'Against WEIR_CRITICAL_MAX_BYTES: at the limit the window is shorter than WEIR_CRITICAL_MAX_AGE_MS',
    read: (shard) => shard.lanes.critical.bytes,
  },
  threads: {
    kind: 'gauge',
    name: 'weir_shard_threads',
    help: 'Living threads that write to clients',
    advice: 'Below WEIR_THREADS for more than a second: threads cannot be started',
    read: (shard) => [...shard.threads].length,
  },
  threadLoopUtilisation: {
    kind: 'gauge',
    name: 'weir_shard_thread_loop_utilisation',
    help: 'Part of the last second that a thread was busy, 0 to 1',
    advice: 'Near 1: ticks merge soon. One high and others low: clients are spread unevenly',
    labels: { thread: NAMES },
    read: (shard) =>
      [...shard.threads].map(({ index, loopUtilisation }) => [{ thread: String(index) }, loopUtilisation]),
  },
  handOversOutstanding: {
    kind: 'gauge',
    name: 'weir_shard_hand_overs_outstanding',
    help: 'Hand-overs that threads have not written yet, at most one per thread',
    advice: 'At one per thread for long: threads lack CPU',
    read: (shard) => [...shard.threads].reduce((sum, { link }) => sum + link.outstanding, 0),
  },
  framesEncoded: {
    kind: 'counter',
    name: 'weir_shard_frames_encoded_total',
    help: 'Frames built',
    advice: 'Does not grow with the number of clients; if it does, all cursors differ',
    read: (shard) => shard.encoder.counts.frames,
  },
  encodedBytes: {
    kind: 'counter',
    name: 'weir_shard_encoded_bytes_total',
    help: 'Bytes of frames built',
    advice: 'Against the bytes written: how often each frame was shared',
    read: (shard) => shard.encoder.counts.bytes,
  },
  stateKeysEncoded: {
    kind: 'counter',
    name: 'weir_shard_state_keys_encoded_total',
    help: 'State values in frames of ticks',
    advice: 'Values per second after conflation; far below the intake is normal',
    read: (shard) => shard.encoder.counts.stateKeys,
  },
  stateEvictedDeletions: {
    kind: 'counter',
    name: 'weir_shard_state_evicted_deletions_total',
    help: 'State deletions that the shard forgot early, to make room for values',
    advice:
      'A steady rate: more deletions within WEIR_STATE_DELETION_MS than WEIR_STATE_MAX_KEYS leaves room for, so clients that reconnect get snapshots',
    read: (shard) => shard.lanes.state.evictedDeletions,
  },
  stateLostKeys: {
    kind: 'counter',
    name: 'weir_shard_state_lost_keys_total',
    help: 'Keys with a value that a later epoch of the state stream does not have',
    advice: 'Any rise: a purge, or a store that lost something',
    read: (shard) => shard.losses.kept.lostKeys,
  },
  lostStateDiscardedKeys: {
    kind: 'counter',
    name: 'weir_shard_lost_state_discarded_keys_total',
    help: 'Kept keys that the shard discarded: by request, after WEIR_LOST_STATE_MS, or for lack of room',
    advice: 'A rise without a request: the keys were not written back in time',
    read: (shard) => shard.losses.kept.discardedKeys,
  },
  criticalLostMessages: {
    kind: 'counter',
    name: 'weir_shard_critical_lost_messages_total',
    help: 'Critical messages within their retention time that a later epoch of the critical stream does not have',
    advice: 'Any rise: a purge, or a store that lost something. Clients have gaps',
    read: (shard) => shard.losses.criticalMessages,
  },
  criticalDropped: {
    kind: 'counter',
    name: 'weir_shard_critical_dropped_total',
    help: 'Critical messages dropped early, by the limit that was reached',
    advice:
      'Above 0: the window is shorter than WEIR_CRITICAL_MAX_AGE_MS, and clients that reconnect late get a gap; raise WEIR_CRITICAL_MAX_PER_CHANNEL (`perChannel`) or WEIR_CRITICAL_MAX_BYTES (`bytes`)',
    labels: { limit: DROP_LIMITS },
    read: ({ lanes }) => DROP_LIMITS.map((limit) => [{ limit }, lanes.criticalDrops[limit]]),
  },
  handOvers: {
    kind: 'counter',
    name: 'weir_shard_hand_overs_total',
    help: 'Hand-overs to threads',
    advice: 'Ticks and bursts of critical messages, once per thread',
    read: linked('handOvers'),
  },
  handOverBytes: {
    kind: 'counter',
    name: 'weir_shard_hand_over_bytes_total',
    help: 'Bytes of hand-overs',
    advice: 'Grows with the published bytes and with WEIR_THREADS, not with clients',
    read: linked('bytes'),
  },
  mergedTicks: {
    kind: 'counter',
    name: 'weir_shard_merged_ticks_total',
    help: 'Ticks merged into a later hand-over because a thread was late',
    advice: 'Its part of the hand-overs: how often threads cannot keep the tick',
    read: linked('mergedTicks'),
  },
  mergedCosmeticDropped: {
    kind: 'counter',
    name: 'weir_shard_merged_cosmetic_dropped_total',
    help: 'Runs of cosmetic frames dropped with merged ticks',
    advice: 'See the merged ticks',
    read: linked('cosmeticDropped'),
  },
  threadDeaths: {
    kind: 'counter',
    name: 'weir_shard_thread_deaths_total',
    help: 'Threads that ended and were replaced',
    advice: 'Any rise: a bug of Weir; the clients of that thread had to reconnect',
    read: (shard) => shard.threads.deaths,
  },
});

function linked(key: 'handOvers' | 'bytes' | 'mergedTicks' | 'cosmeticDropped'): (shard: Shard) => number {
  return ({ threads }) => threads.linkCounts(key);
}
