// Settings of the shard: which messages it accepts from NATS, and how many of them it keeps.

import { defaultStreamLimits, limits } from '@weir/protocol';
import { defineSettings, parse } from '@weir/runtime';
import { bytes, count, ms } from './rows.ts';

export const lanes = defineSettings({
  maxMessageBytes: bytes({
    env: 'WEIR_MAX_MESSAGE_BYTES',
    default: limits.messageBytes,
    max: limits.messageBytes,
    meaning: 'Maximum size of a published payload',
  }),
  maxDepth: count({
    env: 'WEIR_MAX_DEPTH',
    default: limits.depth,
    max: limits.depth,
    meaning: 'Maximum nesting of a published payload',
  }),
  stateMaxKeys: count({
    env: 'WEIR_STATE_MAX_KEYS',
    default: 1_000_000,
    meaning: 'Maximum state keys of all channels; the shard remembers deletions in the room that keys leave',
  }),
  stateMaxBytes: bytes({
    env: 'WEIR_STATE_MAX_BYTES',
    default: 268_435_456,
    meaning:
      'Maximum bytes of keys and values of all channels; the shard remembers deletions in the room that values leave',
  }),
  stateDeletionMs: ms({
    env: 'WEIR_STATE_DELETION_MS',
    default: 600_000,
    min: 1_000,
    max: 86_400_000,
    meaning:
      'How long the shard remembers a deletion, if there is room; a client with an older position gets a snapshot',
  }),
  lostStateMs: ms({
    env: 'WEIR_LOST_STATE_MS',
    default: 86_400_000,
    min: 0,
    max: 604_800_000,
    meaning:
      'How long the shard keeps the last values of keys that the state stream has lost, within the limits of the state lane; 0 keeps none',
  }),
  lostStateRatio: {
    env: 'WEIR_LOST_STATE_RATIO',
    parse: parse.number({ min: 0, max: 1 }),
    default: 0.1,
    meaning: 'The shard reports and keeps a loss of more than this part of the keys; 1 reports none',
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
    meaning: 'Maximum critical messages that stream and shard keep per channel',
  }),
  criticalMaxBytes: bytes({
    env: 'WEIR_CRITICAL_MAX_BYTES',
    default: 134_217_728,
    meaning: 'Maximum bytes of critical messages of all channels that the shard keeps',
  }),
  criticalLastMax: count({
    env: 'WEIR_CRITICAL_LAST_MAX',
    default: 100,
    min: 0,
    max: 10_000,
    meaning: 'Newest critical messages of a channel that a client may ask for when it subscribes; 0: none',
  }),
  cosmeticMaxPerTick: count({
    env: 'WEIR_COSMETIC_MAX_PER_TICK',
    default: 10_000,
    meaning: 'Maximum cosmetic messages of all channels per tick',
  }),
  cosmeticMaxBytesPerTick: bytes({
    env: 'WEIR_COSMETIC_MAX_BYTES_PER_TICK',
    default: 1_048_576,
    meaning: 'Maximum cosmetic bytes of all channels per tick',
  }),
  streamMaxBytes: bytes({
    env: 'WEIR_STREAM_MAX_BYTES',
    default: defaultStreamLimits.maxBytes,
    min: 1_048_576,
    meaning: 'Maximum size of each JetStream stream',
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
    meaning: 'Maximum time between two checks of the streams',
  }),
});
