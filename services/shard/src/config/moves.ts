// Settings of the shard: when it asks clients to move, to another pool, for rebalancing, or in a drain.
import { defineSettings, parse } from '@weir/runtime';
import { bytes, count, ms } from './rows.ts';

export const moves = defineSettings({
  demotion: {
    env: 'WEIR_DEMOTION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether the shard sends clients that are too slow for this pool to a new measurement; by default in all pools except mobile',
  },
  demotionLagMs: ms({
    env: 'WEIR_DEMOTION_LAG_MS',
    default: 3_000,
    min: 100,
    meaning: 'Delivery lag from which a client is too slow for this pool',
  }),
  minStayMs: ms({
    env: 'WEIR_MIN_STAY_MS',
    default: 60_000,
    min: 0,
    meaning: 'Minimum stay of a client in a pool before a new measurement, and on a shard before rebalancing',
  }),
  promotion: {
    env: 'WEIR_PROMOTION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether the shard sends clients that are fast enough for a faster pool to a new measurement; by default only in mobile',
  },
  promotionHealthMs: ms({
    env: 'WEIR_PROMOTION_HEALTH_MS',
    default: 60_000,
    min: 1_000,
    meaning:
      'How long a client of which the router was certain stays before the first look at its network; without looks, how long it must have been healthy before a measurement for a faster pool',
  }),
  promotionRttMs: ms({
    env: 'WEIR_PROMOTION_RTT_MS',
    default: 220,
    meaning:
      "Without looks: the smallest delivery lag of a client in that time must be at most this; raise it together with the router's WEIR_PROBE_RTT_THRESHOLD_MS",
  }),
  promotionLagMs: ms({
    env: 'WEIR_PROMOTION_LAG_MS',
    default: 500,
    meaning: 'Without looks: the largest delivery lag of a client in that time must be at most this',
  }),
  promotionMinBytes: bytes({
    env: 'WEIR_PROMOTION_MIN_BYTES',
    default: 16_384,
    min: 0,
    meaning: 'Without looks: bytes that a client must have received in that time; fewer bytes prove nothing',
  }),
  lookBytesPerSecond: {
    env: 'WEIR_LOOK_BYTES_PER_SECOND',
    parse: parse.bytes({ min: 0, max: 1e9 }),
    default: 524_288,
    unit: 'bytes',
    meaning:
      'Bytes per second of padding with which the shard measures the networks of its clients, all together; 0 sends none, and promotions are measured by the router alone',
  },
  lookAfterMs: ms({
    env: 'WEIR_LOOK_AFTER_MS',
    default: 10_000,
    min: 1_000,
    meaning:
      'When the shard looks at the network of a client of which the router was not certain; at the others after WEIR_PROMOTION_HEALTH_MS',
  }),
  lookEveryMs: ms({
    env: 'WEIR_LOOK_EVERY_MS',
    default: 75_000,
    min: 1_000,
    meaning: 'Time between two such looks at one client; a look mostly sends 11 KB',
  }),
  moveBackoffMs: ms({
    env: 'WEIR_MOVE_BACKOFF_MS',
    default: 120_000,
    min: 1_000,
    meaning:
      'Stay of a moved client before its next promotion, or before the next move after one without effect; each further move doubles it',
  }),
  moveBackoffMaxMs: ms({
    env: 'WEIR_MOVE_BACKOFF_MAX_MS',
    default: 1_800_000,
    min: 1_000,
    meaning: 'Maximum of that stay; after a stay of twice this time, earlier moves no longer count',
  }),
  drainGraceMs: ms({
    env: 'WEIR_DRAIN_GRACE_MS',
    default: 10_000,
    min: 0,
    meaning: 'Time between the announcement of a drain and the first move',
  }),
  drainWindowMs: ms({
    env: 'WEIR_DRAIN_WINDOW_MS',
    default: 20_000,
    min: 100,
    meaning: 'Time over which the shard spreads the moves of a drain',
  }),
  drainWithinMs: ms({
    env: 'WEIR_DRAIN_WITHIN_MS',
    default: 5_000,
    min: 100,
    meaning: 'Time that a moved client has to leave',
  }),
  movesPerSecond: count({
    env: 'WEIR_MOVES_PER_SECOND',
    default: 500,
    min: 10,
    max: 100_000,
    meaning:
      'Maximum moves per second, in a drain and for rebalancing; shards of the pool that drain at once share it, as far as WEIR_SHUTDOWN_DEADLINE_MS leaves time',
  }),
});
