// Settings of the shard: how fast it serves a client, how far behind a client may be, and how it measures that.
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
      'Backlog of a client above which the shard withholds state and drops cosmetic messages; by default 32 KB in mobile, else 128 KB',
  },
  hardBytes: {
    env: 'WEIR_HARD_BYTES',
    parse: parse.bytes({ min: 8_192, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Maximum bytes that wait for a client: the shard withholds messages that would exceed it, and evicts a client that then reads nothing; by default 128 KB in mobile, else 512 KB',
  },
  windowBytes: bytes({
    env: 'WEIR_WINDOW_BYTES',
    default: 16_777_216,
    min: 4_096,
    meaning:
      'Maximum bytes of a snapshot or catch-up under way to a client whose pongs prove that its network carries them; at most WEIR_HARD_BYTES of them wait in the shard',
  }),
  lagMs: {
    env: 'WEIR_LAG_MS',
    parse: parse.durationMs({ min: 1_000, max: 600_000 }),
    optional: true,
    unit: 'ms',
    meaning:
      'Time without proof of delivery after which the shard evicts a client; by default 20 s in mobile, else 10 s',
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
    meaning: 'Bytes after which the shard sends a ping at once',
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
  beatMs: ms({
    env: 'WEIR_BEAT_MS',
    default: 15_000,
    min: 1_000,
    max: 60_000,
    meaning:
      'Maximum time without a text message to a client; a client that receives nothing for twice this time treats the path as dead',
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
      'Whether clients that offer permessage-deflate get compressed messages; by default only in mobile',
  },
  compressionMinBytes: count({
    env: 'WEIR_COMPRESSION_MIN_BYTES',
    default: 128,
    min: 0,
    max: 30_000,
    meaning: 'Size below which a message on a compressed connection is stored instead of compressed',
  }),
  clientMessagesPerSecond: count({
    env: 'WEIR_CLIENT_MESSAGES_PER_SECOND',
    default: 10,
    max: 10_000,
    meaning:
      'Sustained rate of messages, their fragments, and pings from a client; each may arrive in twenty pieces',
  }),
  clientMessageBurst: count({
    env: 'WEIR_CLIENT_MESSAGE_BURST',
    default: 40,
    max: 10_000,
    meaning: 'Messages, their fragments, and pings that a client may send in a burst',
  }),
  closingBytes: bytes({
    env: 'WEIR_CLOSING_BYTES',
    default: 65_536,
    min: 1_024,
    max: 1_048_576,
    meaning:
      'Bytes that the shard reads from a client that it is closing, to find its Close; after them it stops reading',
  }),
  faultCloseMs: ms({
    env: 'WEIR_FAULT_CLOSE_MS',
    default: 3_000,
    min: 300,
    max: 60_000,
    meaning: 'Maximum time from the Close to the end of the socket of a client that broke the rules',
  }),
  redrawBytesPerSecond: {
    env: 'WEIR_REDRAW_BYTES_PER_SECOND',
    parse: parse.bytes({ min: 1_024, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Bytes per second of repeated snapshots that a client may draw; by default 8 times WEIR_SOFT_BYTES',
  },
  redrawBurstBytes: {
    env: 'WEIR_REDRAW_BURST_BYTES',
    parse: parse.bytes({ min: 1_024, max: 1e9 }),
    optional: true,
    unit: 'bytes',
    meaning:
      'Burst of these bytes: above it a repeated subscription waits, then the client is closed with 4029; by default 64 times WEIR_SOFT_BYTES',
  },
  networkDrawBytesPerSecond: bytes({
    env: 'WEIR_NETWORK_DRAW_BYTES_PER_SECOND',
    default: 8_388_608,
    min: 1_024,
    meaning:
      'Bytes per second of snapshots and earlier critical messages that clients of one network (IPv4 address, IPv6 /64) may draw by connecting to this shard',
  }),
  networkDrawBurstBytes: bytes({
    env: 'WEIR_NETWORK_DRAW_BURST_BYTES',
    default: 268_435_456,
    min: 1_024,
    meaning:
      'Burst of these bytes: above it clients that need a snapshot, or more than 64 KB of critical messages, are closed with 4013 and reconnect later',
  }),
  maxNetworks: count({
    env: 'WEIR_MAX_NETWORKS',
    default: 100_000,
    min: 2,
    max: 1e7,
    meaning:
      'Maximum networks that the shard remembers for that limit, about 150 bytes each; it forgets the least recent first',
  }),
});
