// Which connection is in which group, and thereby in which channels. It writes nothing, and knows nothing of how far a
// connection has got.
import type { FormName } from '../../port/frames-table.ts';
import type { Connection } from '../connection/connection.ts';
import type { Want } from './channels.ts';
import { Channels } from './channels.ts';
import { Group, groupKey } from './group.ts';

export class Memberships {
  readonly channels: Channels;
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<Connection, Group>();

  /** Calls `want` when the first subscriber of a channel's form comes, and when the last one has gone. */
  constructor(want: (want: Want) => void) {
    this.channels = new Channels(want);
  }

  /** Number of connections. */
  get size(): number {
    return this.#groupOf.size;
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups;
  }

  connections(): IterableIterator<Connection> {
    return this.#groupOf.keys();
  }

  groupOf(connection: Connection): Group | undefined {
    return this.#groupOf.get(connection);
  }

  join(connection: Connection, names: readonly string[]): void {
    const form = formOf(connection);
    const key = groupKey(names, form);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(
        key,
        names.map((name) => this.channels.named(name)),
        form,
      );
      this.#groups.set(key, group);
      this.channels.join(group);
    }
    group.add(connection);
    this.#groupOf.set(connection, group);
  }

  leave(connection: Connection): void {
    const group = this.#groupOf.get(connection);
    if (group === undefined) return;
    this.#groupOf.delete(connection);
    group.remove(connection);
    this.#forgetIfEmpty(group);
  }

  /** Moves a connection to the group of these channels. */
  change(connection: Connection, names: readonly string[]): void {
    const before = this.#groupOf.get(connection);
    before?.remove(connection);
    // The new group is made before the old one goes, so that channels of both keep their numbers.
    this.join(connection, names);
    if (before !== undefined) this.#forgetIfEmpty(before);
  }

  #forgetIfEmpty(group: Group): void {
    if (group.members.length > 0) return;
    this.#groups.delete(group.key);
    this.channels.leave(group);
  }
}

export function formOf({ compressed }: { readonly compressed: boolean }): FormName {
  return compressed ? 'compressed' : 'plain';
}
