// Publishes the load of this shard once a second, for routers and control. It measures the main thread's own load; all
// else is passed in. It decides nothing.
import type { Beat } from '@weir/fleet';
import { encodeBeat } from '@weir/fleet';
import type { Clock } from '@weir/runtime';
import type { ShardConfig } from '../../config.ts';
import { LoadMeter } from './load.ts';

/** The present state of the shard. */
export interface Standing
  extends Pick<
    Beat,
    | 'url'
    | 'incarnation'
    | 'connections'
    | 'backlogBytes'
    | 'healthyBacklogBytes'
    | 'awaitedBytes'
    | 'draining'
    | 'stale'
    | 'ready'
  > {
  /** Since the start. */
  readonly writtenBytes: number;
  /** Of the busiest thread that writes, 0 to 1. */
  readonly threadUtilisation: number;
}

export interface BeatsOptions {
  readonly config: Pick<ShardConfig, 'pool' | 'shardId' | 'capacity' | 'revision'>;
  readonly clock: Clock;
  readonly standing: () => Standing;
  readonly publish: (beat: Uint8Array) => void;
}

export class Beats {
  readonly #o: BeatsOptions;
  readonly #load: LoadMeter;

  constructor(options: BeatsOptions) {
    this.#o = options;
    this.#load = new LoadMeter(options.clock.monotonicMs());
  }

  /** A tick ran so late. */
  tick(lateMs: number): void {
    this.#load.tick(lateMs);
  }

  /** Publishes one. */
  beat(): void {
    const { config, clock, standing, publish } = this.#o;
    const { pool, shardId, capacity, revision = '' } = config;
    const { writtenBytes, threadUtilisation, ...now } = standing();
    const load = this.#load.take(clock.monotonicMs(), writtenBytes);
    const loopUtilisation = Math.max(load.loopUtilisation, threadUtilisation);
    publish(
      encodeBeat({
        v: 1,
        pool,
        shard: shardId,
        capacity,
        revision,
        ...now,
        ...load,
        loopUtilisation,
        wallMs: clock.wallMs(),
      }),
    );
  }
}
