// Settings of the shard: what is taken from NATS, and how much of it is kept.

import { defaultStreamLimits, limits } from '@weir/protocol';
import { defineSettings, parse } from '@weir/runtime';
import { bytes, count, ms } from './rows.ts';

export const lanes = defineSettings({
  maxMessageBytes: bytes({
    env: 'WEIR_MAX_MESSAGE_BYTES',
    default: limits.messageBytes,
    max: limits.messageBytes,
    meaning: 'Largest published payload',
  }),
  maxDepth: count({
    env: 'WEIR_MAX_DEPTH',
    default: limits.depth,
    max: limits.depth,
    meaning: 'Deepest nesting of a published payload',
  }),
  stateMaxKeys: count({
    env: 'WEIR_STATE_MAX_KEYS',
    default: 1_000_000,
    meaning: 'State keys of all channels; deletions are remembered in the room that the keys leave',
  }),
  stateMaxBytes: bytes({
    env: 'WEIR_STATE_MAX_BYTES',
    default: 268_435_456,
    meaning:
      'Bytes of keys and values of all channels; deletions are remembered in the room that the values leave',
  }),
  stateDeletionMs: ms({
    env: 'WEIR_STATE_DELETION_MS',
    default: 600_000,
    min: 1_000,
    max: 86_400_000,
    meaning:
      'How long a deletion is remembered, where there is room; a position from before it gets a snapshot',
  }),
  lostStateMs: ms({
    env: 'WEIR_LOST_STATE_MS',
    default: 86_400_000,
    min: 0,
    max: 604_800_000,
    meaning:
      'How long a shard keeps the last values of keys that the state stream has lost, at most as much as the state lane holds; 0 keeps none',
  }),
  lostStateRatio: {
    env: 'WEIR_LOST_STATE_RATIO',
    parse: parse.number({ min: 0, max: 1 }),
    default: 0.1,
    meaning: 'Part of the keys whose loss is reported and kept: only more than this is; 1 reports none',
  },
  criticalMaxAgeMs: ms({
    env: 'WEIR_CRITICAL_MAX_AGE_MS',
    default: defaultStreamLimits.criticalMaxAgeMs,
    min: 1_000,
    max: 86_400_000,
    meaning: 'Retention window of critical messages',
  }),
  criticalMaxPerChannel: count({
    env: 'WEIR_CRITICAL_MAX_PER_CHANNEL',
    default: defaultStreamLimits.criticalMaxPerChannel,
    max: 1e7,
    meaning: 'Critical messages that are kept for a channel',
  }),
  criticalMaxBytes: bytes({
    env: 'WEIR_CRITICAL_MAX_BYTES',
    default: 134_217_728,
    meaning: 'Critical messages of all channels that a shard keeps',
  }),
  cosmeticMaxPerTick: count({
    env: 'WEIR_COSMETIC_MAX_PER_TICK',
    default: 10_000,
    meaning: 'Cosmetic messages of all channels in a tick',
  }),
  cosmeticMaxBytesPerTick: bytes({
    env: 'WEIR_COSMETIC_MAX_BYTES_PER_TICK',
    default: 1_048_576,
    meaning: 'Cosmetic bytes of all channels in a tick',
  }),
  streamMaxBytes: bytes({
    env: 'WEIR_STREAM_MAX_BYTES',
    default: defaultStreamLimits.maxBytes,
    min: 1_048_576,
    meaning: 'Largest size of each JetStream stream',
  }),
  streamReplicas: count({
    env: 'WEIR_STREAM_REPLICAS',
    default: 1,
    max: 5,
    meaning: 'Replicas of each JetStream stream',
  }),
  verifyMs: ms({
    env: 'WEIR_VERIFY_MS',
    default: 5_000,
    min: 200,
    max: 10_000,
    meaning: 'Longest time between two looks at the streams',
  }),
});
