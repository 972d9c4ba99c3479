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
  readonly #options: RosterOptions;
  readonly #entries = new Map<string, ShardEntry>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /**
   * Takes a beat in. An id belongs to the pool and URL it was heard with first, for as long as that one is alive
   * (`taken` otherwise); a shard that restarts under its id is believed once the old one is silent or drains.
   */
  observe(beat: Beat): Observed {
    const { clock, maxShards } = this.#options;
    const known = this.#alive(beat.shard);
    const moved = known !== undefined && (known.pool !== beat.pool || known.url !== beat.url);
    if (moved && !known.draining) return 'taken';
    if (known === undefined) {
      this.#forgetSilent();
      if (this.#entries.size >= maxShards) return 'full';
    }
    const lastSeenMs = clock.monotonicMs();
    const skewMs = beat.wallMs - clock.wallMs();
    this.#entries.set(beat.shard, { ...beat, ticketsSinceBeat: 0, lastSeenMs, skewMs });
    return known === undefined ? 'new' : 'known';
  }

  /** The shards that are alive, in no particular order. */
  list(): readonly ShardEntry[] {
    this.#forgetSilent();
    return [...this.#entries.values()];
  }

  /** Counts a ticket against the shard until its beats contain it. */
  ticketGiven(shard: string): void {
    const entry = this.#entries.get(shard);
    if (entry !== undefined)
      this.#entries.set(shard, { ...entry, ticketsSinceBeat: entry.ticketsSinceBeat + 1 });
  }

  /** Drops a shard at once, for example one that Kubernetes says is gone. */
  forget(shard: string): void {
    this.#entries.delete(shard);
  }

  #alive(shard: string): ShardEntry | undefined {
    const entry = this.#entries.get(shard);
    return entry !== undefined && !this.#silent(entry) ? entry : undefined;
  }

  #silent(entry: ShardEntry): boolean {
    return this.#options.clock.monotonicMs() - entry.lastSeenMs > this.#options.silentMs;
  }

  #forgetSilent(): void {
    for (const [shard, entry] of this.#entries) if (this.#silent(entry)) this.#entries.delete(shard);
  }
}
