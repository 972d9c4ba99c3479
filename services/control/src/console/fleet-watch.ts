// Notices which shards come, go, drain and start anew, by their beats. Pure, with time passed in. Remembers shards that
// were lost without a drain for some minutes: the page says so until they are back.
import type { ShardEntry } from '@weir/fleet';
import type { Level } from './view.ts';

/** Something that happened to a shard. */
export interface Change {
  readonly level: Level;
  readonly about: string;
  readonly text: string;
}

/** A shard that ended without a drain. */
export interface LostShard {
  readonly shard: string;
  readonly pool: string;
  readonly clients: number;
  readonly atMs: number;
  /** Whether a successor has its name. */
  readonly back: boolean;
}

const rememberMs = 300_000;
const rememberBackMs = 60_000;
const maxLost = 50;

export class FleetWatch {
  #known: ReadonlyMap<string, ShardEntry> | undefined;
  #lost: readonly LostShard[] = [];

  get lost(): readonly LostShard[] {
    return this.#lost;
  }

  /** `entries` are the shards that are alive; call it only while beats are heard. */
  step(entries: readonly ShardEntry[], nowMs: number): readonly Change[] {
    const known = this.#known;
    const now = new Map(entries.map((entry) => [entry.shard, entry]));
    this.#known = now;
    this.#lost = this.#lost.filter(({ atMs, back }) => nowMs - atMs < (back ? rememberBackMs : rememberMs));
    // The first look finds shards that came before anybody looked.
    if (known === undefined) return [];
    const changes: Change[] = [];
    for (const [shard, before] of known) if (!now.has(shard)) changes.push(this.#gone(before, nowMs));
    for (const entry of entries) changes.push(...this.#changed(known.get(entry.shard), entry, nowMs));
    return changes;
  }

  #gone(before: ShardEntry, nowMs: number): Change {
    const { shard, pool, connections, draining } = before;
    if (draining)
      return { level: 'info', about: shard, text: `${shard} of pool ${pool} has drained and ended.` };
    this.#lose(before, nowMs, false);
    const had = `it had ${clients(connections)}`;
    return { level: 'bad', about: shard, text: `${shard} of pool ${pool} ended without a drain; ${had}.` };
  }

  #changed(before: ShardEntry | undefined, entry: ShardEntry, nowMs: number): readonly Change[] {
    const { shard: about, pool } = entry;
    if (before === undefined) {
      this.#lost = this.#lost.map((one) => (one.shard === about ? { ...one, back: true, atMs: nowMs } : one));
      return [
        { level: 'good', about, text: `${about} of pool ${pool} is there, with room for ${entry.capacity}.` },
      ];
    }
    if (startedAnew(before, entry)) {
      if (before.draining) return [{ level: 'good', about, text: `${about} is back after its drain.` }];
      this.#lose(before, nowMs, true);
      const had = `it had ${clients(before.connections)}`;
      return [{ level: 'bad', about, text: `${about} ended without a drain and was started again; ${had}.` }];
    }
    const told: Change[] = [];
    if (entry.draining && !before.draining)
      told.push({
        level: 'info',
        about,
        text: `${about} drains: it moves ${clients(entry.connections)} away.`,
      });
    if (entry.stale !== before.stale)
      told.push(
        entry.stale
          ? { level: 'warn', about, text: `${about} may serve less than was published.` }
          : { level: 'good', about, text: `${about} has read everything again.` },
      );
    if (entry.ready !== before.ready && !entry.draining)
      told.push(
        entry.ready
          ? { level: 'good', about, text: `${about} takes clients.` }
          : { level: 'warn', about, text: `${about} takes no clients.` },
      );
    return told;
  }

  #lose({ shard, pool, connections }: ShardEntry, atMs: number, back: boolean): void {
    const others = this.#lost.filter((one) => one.shard !== shard).slice(-(maxLost - 1));
    this.#lost = [...others, { shard, pool, clients: connections, atMs, back }];
  }
}

function startedAnew(before: ShardEntry, entry: ShardEntry): boolean {
  return before.incarnation !== undefined && entry.incarnation !== before.incarnation;
}

export function clients(count: number): string {
  return count === 1 ? '1 client' : `${count} clients`;
}
