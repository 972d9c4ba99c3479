// Settings of the shard: how many clients and threads it has.
import { defineSettings, parse } from '@weir/runtime';
import { count, ms } from './rows.ts';

/** Maximum threads of a shard. */
export const MAX_THREADS = 64;

export const capacity = defineSettings({
  capacity: count({
    env: 'WEIR_CAPACITY',
    default: 16_000,
    max: 1e6,
    meaning: 'Maximum connections of this shard',
  }),
  threads: {
    env: 'WEIR_THREADS',
    parse: parse.int({ min: 1, max: MAX_THREADS }),
    optional: true,
    meaning: 'Threads that write to clients; by default one fewer than the cores that this process may use',
  },
  threadStuckMs: ms({
    env: 'WEIR_THREAD_STUCK_MS',
    default: 10_000,
    min: 1_000,
    meaning:
      'Time without a sign of life after which the shard replaces a thread; its clients reconnect through the router',
  }),
  maxPending: count({
    env: 'WEIR_MAX_PENDING',
    default: 2_000,
    max: 1e6,
    meaning: 'Maximum concurrent handshakes',
  }),
  maxUsedTickets: count({
    env: 'WEIR_MAX_USED_TICKETS',
    default: 200_000,
    max: 1e7,
    meaning: 'Maximum used tickets that the shard remembers, each until it has expired',
  }),
});
