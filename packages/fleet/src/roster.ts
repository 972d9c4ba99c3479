// Who is alive and how loaded, from the beats. Ages are monotonic: a clock that jumps kills no shard (case C8).
import type { Beat } from './beat.ts';

/** The clocks that the roster needs; runtime's `Clock` fits. */
export interface RosterClock {
  monotonicMs(): number;
  wallMs(): number;
}

/** A live shard. */
export interface ShardEntry extends Beat {
  /** Tickets given to it that its own count of connections cannot contain yet. */
  readonly ticketsSinceBeat: number;
  /** Our monotonic time of its last beat. */
  readonly lastSeenMs: number;
  /** Its wall clock minus ours when that beat came, in milliseconds: transport time included. */
  readonly skewMs: number;
}

/** Bounds of a roster. */
export interface RosterOptions {
  /** A shard that is silent for longer is not listed. */
  readonly silentMs: number;
  /** Most shards that are remembered. */
  readonly maxShards: number;
  readonly clock: RosterClock;
}

/** What became of a beat. */
export type Observed = 'known' | 'new' | 'taken' | 'full';

/** The table of live shards. */
export class Roster {
  constructor(_options: RosterOptions) {}

  /** Takes a beat in. */
  observe(_beat: Beat): Observed {
    throw new Error('not there yet');
  }

  /** The shards that are alive, in no particular order. */
  list(): readonly ShardEntry[] {
    throw new Error('not there yet');
  }

  /** Counts a ticket against the shard until its beats contain it. */
  ticketGiven(_shard: string): void {
    throw new Error('not there yet');
  }

  /** Drops a shard at once, for example one that Kubernetes says is gone. */
  forget(_shard: string): void {
    throw new Error('not there yet');
  }
}
