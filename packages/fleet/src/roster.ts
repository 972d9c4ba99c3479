// Who is alive and how loaded, from the beats. Ages are monotonic: a clock that jumps kills no shard (case C8).
// Bounded by `maxShards`; never takes a shard's word for who it is while another one of that name is alive.
import type { Beat } from './beat.ts';
import { RevisionOrder } from './revision-order.ts';

/** The clocks that the roster needs; runtime's `Clock` fits. */
export interface RosterClock {
  monotonicMs(): number;
  wallMs(): number;
}

/** A live shard. */
export interface ShardEntry extends Beat {
  /** Tickets given to it that its own count of connections does not contain yet, as far as can be told. */
  readonly ticketsSinceBeat: number;
  /** Our monotonic time of its last beat. */
  readonly lastSeenMs: number;
  /** Its wall clock minus ours when that beat came, in milliseconds: transport time included. */
  readonly skewMs: number;
  /** Rises from one rollout to the next; equal where that cannot be told. Absent counts as 0. */
  readonly revisionOrder?: number;
}

/** Bounds of a roster. */
export interface RosterOptions {
  /** A shard that is silent for longer is not listed. */
  readonly silentMs: number;
  /** Most shards that are remembered; beats of further ones are not taken. */
  readonly maxShards: number;
  readonly clock: RosterClock;
}

/**
 * What became of a beat: of a known shard, of a new one, not taken because a living shard of that id has
 * another pool or address, not taken because the table is full.
 */
export type Observed = 'known' | 'new' | 'taken' | 'full';

interface Known {
  entry: ShardEntry;
  /** Tickets since the last beat; the rest of `ticketsSinceBeat` is from the interval before it. */
  fresh: number;
}

/** The table of live shards. */
export class Roster {
  readonly #options: RosterOptions;
  readonly #known = new Map<string, Known>();
  readonly #revisions: RevisionOrder;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#revisions = new RevisionOrder(options.silentMs);
  }

  /**
   * Takes a beat in. A pod of a StatefulSet that restarts keeps its id: with the same pool and address it
   * continues at once; with others it waits until its predecessor is silent or draining, so for `silentMs`
   * at most. Of two living shards that claim one id the first stays.
   */
  observe(beat: Beat): Observed {
    const { clock, maxShards } = this.#options;
    const nowMs = clock.monotonicMs();
    const found = this.#known.get(beat.shard);
    const before = found !== undefined && this.#isAlive(found, nowMs) ? found : undefined;
    if (before !== undefined && !continues(before.entry, beat)) return 'taken';
    if (found === undefined && this.#known.size >= maxShards && !this.#dropSilent(nowMs)) return 'full';
    const carried = before === undefined ? 0 : unseenTickets(before, beat);
    const entry: ShardEntry = {
      ...beat,
      ticketsSinceBeat: carried,
      lastSeenMs: nowMs,
      skewMs: beat.wallMs - clock.wallMs(),
      revisionOrder: this.#revisions.order(beat, nowMs),
    };
    this.#known.set(beat.shard, { entry, fresh: 0 });
    return before === undefined ? 'new' : 'known';
  }

  /** The shards that are alive, in no particular order. */
  list(): readonly ShardEntry[] {
    const nowMs = this.#options.clock.monotonicMs();
    const alive: ShardEntry[] = [];
    for (const known of this.#known.values()) {
      if (this.#isAlive(known, nowMs)) alive.push(known.entry);
    }
    return alive;
  }

  /** Counts a ticket against the shard until its beats contain it. */
  ticketGiven(shard: string): void {
    const known = this.#known.get(shard);
    if (known === undefined) return;
    known.fresh += 1;
    known.entry = { ...known.entry, ticketsSinceBeat: known.entry.ticketsSinceBeat + 1 };
  }

  #isAlive(known: Known, nowMs: number): boolean {
    return nowMs - known.entry.lastSeenMs <= this.#options.silentMs;
  }

  /** Whether there was somebody to drop. */
  #dropSilent(nowMs: number): boolean {
    const sizeBefore = this.#known.size;
    for (const [shard, known] of this.#known) {
      if (!this.#isAlive(known, nowMs)) this.#known.delete(shard);
    }
    return this.#known.size < sizeBefore;
  }
}

/** Whether the beat is of the shard that has this entry, or of its successor. */
function continues(entry: ShardEntry, beat: Beat): boolean {
  return entry.draining || (entry.pool === beat.pool && entry.url === beat.url);
}

/**
 * Tickets that still count after a beat. Those that its growth accounts for have arrived; those from before
 * the last beat had a second to arrive and will not. So a ticket counts for two beats at most, and a client
 * that never came cannot fill a shard.
 */
function unseenTickets(before: Known, beat: Beat): number {
  // Tickets of the shard's start before this one are refused.
  if (beat.incarnation !== before.entry.incarnation) return 0;
  const growth = Math.max(0, beat.connections - before.entry.connections);
  return Math.min(before.fresh, Math.max(0, before.entry.ticketsSinceBeat - growth));
}
