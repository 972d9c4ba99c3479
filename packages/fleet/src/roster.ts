// The live shards and their load, from the heartbeats. Ages are monotonic: a clock that jumps removes no shard (case
// C8). Bounded by `maxShards`; never accepts a shard under a name while another shard of that name is alive.
import type { Beat } from './beat.ts';
import { RevisionOrder } from './revision-order.ts';

/** The roster's clocks; runtime's `Clock` fits. */
export interface RosterClock {
  monotonicMs(): number;
  wallMs(): number;
}

/** A live shard. */
export interface ShardEntry extends Beat {
  /** Tickets for this shard that its own count of connections probably does not contain yet. */
  readonly ticketsSinceBeat: number;
  /** This process's monotonic time of the last heartbeat. */
  readonly lastSeenMs: number;
  /**
   * The shard's wall clock minus this process's when that heartbeat came, in milliseconds, including transport time.
   */
  readonly skewMs: number;
  /** Rises from one rollout to the next; equal if the order is unknown. Absent counts as 0. */
  readonly revisionOrder?: number;
}

/** Bounds of a roster. */
export interface RosterOptions {
  /** A shard that is silent for longer is removed. */
  readonly silentMs: number;
  /** Maximum shards; heartbeats of further shards are refused. */
  readonly maxShards: number;
  readonly clock: RosterClock;
}

/**
 * Outcome of a heartbeat: from a known shard, from a new one, refused because a live shard of that id has another pool
 * or address, refused because the table is full.
 */
export type Observed = 'known' | 'new' | 'taken' | 'full';

interface Known {
  entry: ShardEntry;
  /** Tickets since the last heartbeat; the rest of `ticketsSinceBeat` is from the interval before it. */
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
   * Handles a heartbeat. A restarted pod of a StatefulSet keeps its id. With the same pool and address it continues at
   * once; otherwise it waits until its predecessor is silent or draining, at most `silentMs`. Of two live shards that
   * claim one id the first stays.
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

  /** The live shards, in no particular order. */
  list(): readonly ShardEntry[] {
    const nowMs = this.#options.clock.monotonicMs();
    const alive: ShardEntry[] = [];
    for (const known of this.#known.values()) {
      if (this.#isAlive(known, nowMs)) alive.push(known.entry);
    }
    return alive;
  }

  /** Counts a ticket against the shard until its heartbeats contain it. */
  ticketGiven(shard: string): void {
    const known = this.#known.get(shard);
    if (known === undefined) return;
    known.fresh += 1;
    known.entry = { ...known.entry, ticketsSinceBeat: known.entry.ticketsSinceBeat + 1 };
  }

  #isAlive(known: Known, nowMs: number): boolean {
    return nowMs - known.entry.lastSeenMs <= this.#options.silentMs;
  }

  /** Whether a shard was removed. */
  #dropSilent(nowMs: number): boolean {
    const sizeBefore = this.#known.size;
    for (const [shard, known] of this.#known) {
      if (!this.#isAlive(known, nowMs)) this.#known.delete(shard);
    }
    return this.#known.size < sizeBefore;
  }
}

/** Whether the heartbeat is from the shard of this entry, or from its successor. */
function continues(entry: ShardEntry, beat: Beat): boolean {
  return entry.draining || (entry.pool === beat.pool && entry.url === beat.url);
}

/**
 * Tickets that still count after a heartbeat. The growth of its connections accounts for tickets that have arrived.
 * Tickets from before the last heartbeat had a second to arrive and are dropped. A ticket therefore counts for at most
 * two heartbeats, and a client that never came cannot fill a shard.
 */
function unseenTickets(before: Known, beat: Beat): number {
  // The shard refuses tickets for its earlier start.
  if (beat.incarnation !== before.entry.incarnation) return 0;
  const growth = Math.max(0, beat.connections - before.entry.connections);
  return Math.min(before.fresh, Math.max(0, before.entry.ticketsSinceBeat - growth));
}
