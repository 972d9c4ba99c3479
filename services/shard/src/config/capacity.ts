// Settings of the shard: how much a shard takes on.
import { defineSettings, parse } from '@weir/runtime';
import { count, ms } from './rows.ts';

/** Most threads of a shard. */
export const MAX_THREADS = 64;

export const capacity = defineSettings({
  capacity: count({
    env: 'WEIR_CAPACITY',
    default: 16_000,
    max: 1e6,
    meaning: 'Connections that this shard takes',
  }),
  threads: {
    env: 'WEIR_THREADS',
    parse: parse.int({ min: 1, max: MAX_THREADS }),
    optional: true,
    meaning: 'Threads that write to clients; by default one less than the cores that this process may use',
  },
  threadStuckMs: ms({
    env: 'WEIR_THREAD_STUCK_MS',
    default: 10_000,
    min: 1_000,
    meaning:
      'Time without a sign of life after which a thread is replaced; its clients come back by the router',
  }),
  maxPending: count({
    env: 'WEIR_MAX_PENDING',
    default: 2_000,
    max: 1e6,
    meaning: 'Handshakes under way at a time',
  }),
  maxUsedTickets: count({
    env: 'WEIR_MAX_USED_TICKETS',
    default: 200_000,
    max: 1e7,
    meaning: 'Used tickets that are remembered until they have expired',
  }),
});
