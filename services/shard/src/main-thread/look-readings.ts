// The metrics of second looks at the networks of clients, of what the fan-out threads have counted. metrics.ts registers
// them.
import { defineMetrics } from '@weir/runtime';
import { count, histogram } from '../port/counts.ts';
import { LOOK_CLASSES, LOOK_RESULTS } from '../port/outcomes.ts';
import { secondsHistogram } from './seconds-histogram.ts';
import type { Shard } from './shard.ts';

export const lookReadings = defineMetrics<Shard>()({
  looks: {
    kind: 'counter',
    name: 'weir_shard_looks_total',
    help: 'Second looks at the networks of clients, by what the router had found and what the shard found; unsure: three trains did not decide',
    advice:
      'The two disagree for more than a few per cent: networks of clients change, or the edge or the router is busy while it measures. Many `unsure`: networks near the thresholds, or with much jitter',
    labels: { router: LOOK_CLASSES, shard: LOOK_RESULTS },
    read: ({ counts }) =>
      LOOK_CLASSES.flatMap((router, row) =>
        LOOK_RESULTS.map(
          (shard, column) =>
            [{ router, shard }, counts.sum('looks', row * LOOK_RESULTS.length + column)] as const,
        ),
      ),
  },
  lookTrains: {
    kind: 'counter',
    name: 'weir_shard_look_trains_total',
    help: 'Trains of padding that second looks sent',
    advice: 'About one a client and WEIR_LOOK_EVERY_MS; more while clients are not certain',
    read: counted(count.lookTrains),
  },
  lookBytes: {
    kind: 'counter',
    name: 'weir_shard_look_bytes_total',
    help: 'Bytes of this padding; they are no part of the bytes written and delivered',
    advice: 'Its rate against WEIR_LOOK_BYTES_PER_SECOND',
    read: counted(count.lookBytes),
  },
  looksWaited: {
    kind: 'counter',
    name: 'weir_shard_looks_waited_total',
    help: 'Trains that waited because WEIR_LOOK_BYTES_PER_SECOND was used up, counted at each pong',
    advice: 'A steady rate: looks come later than WEIR_LOOK_EVERY_MS says; raise the bytes or the time',
    read: counted(count.looksWaited),
  },
  repairSeconds: {
    kind: 'histogram',
    name: 'weir_shard_repair_seconds',
    help: 'Time that a client was on this shard before a second look moved it to another pool',
    advice:
      'Below 30 s: the router was not certain. Later ones: the router was wrong, or the network changed',
    buckets: histogram.repairBounds,
    read: secondsHistogram(histogram.repair, histogram.repairBounds),
  },
});

function counted(place: number): (shard: Shard) => number {
  return ({ counts }) => counts.sum('fanOut', place);
}
