// Connections with the same channels: whatever one of them gets at the head, all get, as the same bytes.
import type { Connection } from '../connection/connection.ts';

export class Group {
  readonly key: string;
  readonly channels: readonly string[];
  /** Hashes of the channels, as positions carry them. */
  readonly hashes: readonly string[];
  readonly members: Connection[] = [];
  /** When the members got a position last, and of which heads. */
  positionMs = 0;
  positionText = '';
  /** Whether they got anything since. */
  fed = false;

  constructor(key: string, channels: readonly string[], hashes: readonly string[]) {
    this.key = key;
    this.channels = channels;
    this.hashes = hashes;
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

/** The key of a set of channels. */
export function groupKey(channels: readonly string[]): string {
  return [...channels].sort().join(',');
}
