// Settings of the shard: how fast a client is served, how far behind it may be, and how that is measured.
import { limits } from '@weir/protocol';
import { defineSettings, parse } from '@weir/runtime';
import { bytes, count, ms } from './rows.ts';

export const flow = defineSettings({
  tickMs: {
    env: 'WEIR_TICK_MS',
    parse: parse.durationMs({ min: 10, max: 60_000 }),
    optional: true,
    unit: 'ms',
    meaning: 'Broadcast period of state and cosmetic data; by default 1000 in a pool called mobile, else 100',
  },
  softBytes: {
    env: 'WEIR_SOFT_BYTES',
    parse: parse.bytes({ min: 4_096, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Backlog above which state is withheld and cosmetic dropped; by default 32 KB in mobile, else 128 KB',
  },
  hardBytes: {
    env: 'WEIR_HARD_BYTES',
    parse: parse.bytes({ min: 8_192, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Most bytes that wait for a client: what would pass it is withheld, and a client that reads nothing then is evicted; by default 128 KB in mobile, else 512 KB',
  },
  windowBytes: bytes({
    env: 'WEIR_WINDOW_BYTES',
    default: 16_777_216,
    min: 4_096,
    meaning:
      'Most bytes of a snapshot or catch-up under way to a client, where its pongs prove that the network takes them in a round trip; at most WEIR_HARD_BYTES of them wait in the shard',
  }),
  lagMs: {
    env: 'WEIR_LAG_MS',
    parse: parse.durationMs({ min: 1_000, max: 600_000 }),
    optional: true,
    unit: 'ms',
    meaning:
      'Time without any proof of delivery after which a connection is evicted; by default 20 s in mobile, else 10 s',
  },
  pingMs: ms({
    env: 'WEIR_PING_MS',
    default: 1_000,
    min: 100,
    meaning: 'Time between two pings while data flows',
  }),
  pingBytes: bytes({
    env: 'WEIR_PING_BYTES',
    default: 65_536,
    meaning: 'Bytes after which a ping is due at once',
  }),
  idlePingMs: ms({
    env: 'WEIR_IDLE_PING_MS',
    default: 15_000,
    min: 1_000,
    meaning: 'Time between two pings of a quiet connection',
  }),
  positionMs: ms({
    env: 'WEIR_POSITION_MS',
    default: 1_000,
    min: 100,
    max: 1_000,
    meaning: 'Time between two positions while data flows',
  }),
  idlePositionMs: ms({
    env: 'WEIR_IDLE_POSITION_MS',
    default: 10_000,
    min: 1_000,
    meaning: 'Time between two positions while only other channels have data',
  }),
  maxFrameBytes: bytes({
    env: 'WEIR_MAX_FRAME_BYTES',
    default: limits.frameBytes,
    min: 20_000,
    max: limits.frameBytes,
    meaning: 'Largest text frame, before compression',
  }),
  compression: {
    env: 'WEIR_COMPRESSION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether clients that offer permessage-deflate get compressed messages; by default in mobile and nowhere else',
  },
  compressionMinBytes: count({
    env: 'WEIR_COMPRESSION_MIN_BYTES',
    default: 128,
    min: 0,
    max: 30_000,
    meaning: 'Bytes below which a message is stored, not compressed, in a compressed connection',
  }),
  clientMessagesPerSecond: count({
    env: 'WEIR_CLIENT_MESSAGES_PER_SECOND',
    default: 10,
    max: 10_000,
    meaning:
      'Messages, their fragments, and pings that a client may send in the long run; twenty pieces of the network for each',
  }),
  clientMessageBurst: count({
    env: 'WEIR_CLIENT_MESSAGE_BURST',
    default: 40,
    max: 10_000,
    meaning: 'Messages, their fragments, and pings that a client may send at once',
  }),
  closingBytes: bytes({
    env: 'WEIR_CLOSING_BYTES',
    default: 65_536,
    min: 1_024,
    max: 1_048_576,
    meaning:
      'Bytes that are read of a client that is being closed, to find its Close; then it is not read any more',
  }),
  faultCloseMs: ms({
    env: 'WEIR_FAULT_CLOSE_MS',
    default: 3_000,
    min: 300,
    max: 60_000,
    meaning: 'Longest time from the Close to the end of the socket of a client that broke the rules',
  }),
  redrawBytesPerSecond: {
    env: 'WEIR_REDRAW_BYTES_PER_SECOND',
    parse: parse.bytes({ min: 1_024, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Bytes a second of repeated snapshots that a client may draw; by default 8 times WEIR_SOFT_BYTES',
  },
  redrawBurstBytes: {
    env: 'WEIR_REDRAW_BURST_BYTES',
    parse: parse.bytes({ min: 1_024, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Such bytes at once: above that a repeated subscription waits, then 4029; by default 64 times WEIR_SOFT_BYTES',
  },
  networkDrawBytesPerSecond: bytes({
    env: 'WEIR_NETWORK_DRAW_BYTES_PER_SECOND',
    default: 8_388_608,
    min: 1_024,
    meaning:
      'Bytes a second of snapshots that clients of one network (IPv4 address, IPv6 /64) draw by connecting to this shard',
  }),
  networkDrawBurstBytes: bytes({
    env: 'WEIR_NETWORK_DRAW_BURST_BYTES',
    default: 268_435_456,
    min: 1_024,
    meaning: 'Such bytes at once: above that clients without a position are closed with 4013 and come back',
  }),
  maxNetworks: count({
    env: 'WEIR_MAX_NETWORKS',
    default: 100_000,
    min: 2,
    max: 1e7,
    meaning: 'Networks that are remembered for that, about 150 bytes each; the least recent are forgotten',
  }),
});
