// Settings of the shard: when clients are asked to move, to another pool, for the balance of this one, or in a drain.
import { defineSettings, parse } from '@weir/runtime';
import { bytes, count, ms } from './rows.ts';

export const moves = defineSettings({
  demotion: {
    env: 'WEIR_DEMOTION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether clients that are too slow for this pool are asked to be measured again; by default in all pools but mobile',
  },
  demotionLagMs: ms({
    env: 'WEIR_DEMOTION_LAG_MS',
    default: 3_000,
    min: 100,
    meaning: 'Delivery lag of a client that is too slow for this pool',
  }),
  minStayMs: ms({
    env: 'WEIR_MIN_STAY_MS',
    default: 60_000,
    min: 0,
    meaning:
      'Shortest stay in a pool before a client is asked to be measured again, and on a shard before it is rebalanced',
  }),
  promotion: {
    env: 'WEIR_PROMOTION',
    parse: parse.flag(),
    optional: true,
    meaning:
      'Whether clients that are well enough for a faster pool are asked to be measured again; by default in mobile and nowhere else',
  },
  promotionHealthMs: ms({
    env: 'WEIR_PROMOTION_HEALTH_MS',
    default: 60_000,
    min: 1_000,
    meaning: 'How long a client must have been well before it is asked to be measured for a faster pool',
  }),
  promotionRttMs: ms({
    env: 'WEIR_PROMOTION_RTT_MS',
    default: 220,
    meaning:
      "Delivery lag that such a client reached in that time; raise it together with the router's WEIR_PROBE_RTT_THRESHOLD_MS",
  }),
  promotionLagMs: ms({
    env: 'WEIR_PROMOTION_LAG_MS',
    default: 500,
    meaning: 'Delivery lag that such a client never exceeded in that time',
  }),
  promotionMinBytes: bytes({
    env: 'WEIR_PROMOTION_MIN_BYTES',
    default: 16_384,
    min: 0,
    meaning: 'Bytes that such a client got in that time: less proves nothing',
  }),
  moveBackoffMs: ms({
    env: 'WEIR_MOVE_BACKOFF_MS',
    default: 120_000,
    min: 1_000,
    meaning:
      'Stay of a moved client before it is asked to move up, or again for nothing; twice as long after each further move',
  }),
  moveBackoffMaxMs: ms({
    env: 'WEIR_MOVE_BACKOFF_MAX_MS',
    default: 1_800_000,
    min: 1_000,
    meaning: 'Longest of these stays; after one twice as long, earlier moves are forgotten',
  }),
  drainGraceMs: ms({
    env: 'WEIR_DRAIN_GRACE_MS',
    default: 10_000,
    min: 0,
    meaning: 'Time between saying draining and the first move',
  }),
  drainWindowMs: ms({
    env: 'WEIR_DRAIN_WINDOW_MS',
    default: 20_000,
    min: 100,
    meaning: 'Time over which the moves of a drain are spread',
  }),
  drainWithinMs: ms({
    env: 'WEIR_DRAIN_WITHIN_MS',
    default: 5_000,
    min: 100,
    meaning: 'Time that a moved client has to be gone',
  }),
  movesPerSecond: count({
    env: 'WEIR_MOVES_PER_SECOND',
    default: 500,
    min: 10,
    max: 100_000,
    meaning:
      'Moves a second at most, in a drain and for the balance of the pool; shards of the pool that drain at once share it, as far as WEIR_SHUTDOWN_DEADLINE_MS leaves time',
  }),
});
