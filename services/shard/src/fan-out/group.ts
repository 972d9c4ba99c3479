// Connections with the same channels: whatever one of them gets at the head, all get, as the same bytes.
import type { Connection } from '../connection/connection.ts';

export class Group {
  readonly key: string;
  /** Whether its members get compressed messages. */
  readonly compressed: boolean;
  readonly channels: readonly string[];
  /** Hashes of the channels, as positions carry them. */
  readonly hashes: readonly string[];
  readonly members: Connection[] = [];
  /** When the members got a position last, and of which heads. */
  positionMs = 0;
  positionText = '';
  /** Whether they got anything since. */
  fed = false;

  constructor(channels: readonly string[], hashes: readonly string[], compressed: boolean) {
    this.key = groupKey(channels, compressed);
    this.channels = channels;
    this.hashes = hashes;
    this.compressed = compressed;
  }

  add(connection: Connection): void {
    connection.slot = this.members.length;
    this.members.push(connection);
  }

  /** Removes a member in constant time: the last one takes its slot. */
  remove(connection: Connection): void {
    const last = this.members.pop();
    if (last === undefined || last === connection) return;
    this.members[connection.slot] = last;
    last.slot = connection.slot;
  }
}

/** The key of a set of channels in one form. */
export function groupKey(channels: readonly string[], compressed: boolean): string {
  return `${compressed ? 'compressed' : 'plain'} ${[...channels].sort().join(',')}`;
}
