// One batch on its way to the connections: which groups it concerns, and how far the writing has got. Members are taken
// from the last to the first, so that whoever comes or goes meanwhile can neither be left out nor be taken twice (each
// connection knows the last batch that it was given). It writes nothing itself.
import type { Connection } from '../connection/connection.ts';
import type { Batch } from './batch.ts';
import type { Channels } from './channels.ts';
import type { Group } from './group.ts';

export class Round {
  readonly batch: Batch;
  /** What the position of everybody who has this batch begins with. */
  readonly positionHead: string;
  readonly #channels: Channels;
  #groups: readonly Group[] | undefined;
  #at = 0;
  /** The member that was taken last. */
  #member = 0;
  #begun = false;

  constructor(batch: Batch, positionHead: string, channels: Channels) {
    this.batch = batch;
    this.positionHead = positionHead;
    this.#channels = channels;
  }

  /** Gives members their part until `give` says to stop. Answers whether all have theirs. */
  run(give: (group: Group, connection: Connection) => boolean): boolean {
    this.#groups ??= this.#touched();
    for (; this.#at < this.#groups.length; this.#at++) {
      const group = this.#groups[this.#at];
      if (group === undefined) break;
      if (!this.#begun) this.#member = group.members.length;
      this.#begun = true;
      if (!this.#runGroup(group, give)) return false;
      this.#begun = false;
      group.release();
    }
    return true;
  }

  #runGroup(group: Group, give: (group: Group, connection: Connection) => boolean): boolean {
    const { members } = group;
    const { number } = this.batch;
    // Some may have gone since the last slice.
    for (let i = Math.min(this.#member, members.length) - 1; i >= 0; i--) {
      const connection = members[i];
      if (connection === undefined || connection.batch >= number) continue;
      connection.batch = number;
      this.#member = i;
      if (!give(group, connection)) return false;
    }
    return true;
  }

  /** Found when the writing begins: whoever comes later has been given, by other ways, what is in this batch. */
  #touched(): readonly Group[] {
    const groups: Group[] = [];
    const { number, frames } = this.batch;
    for (const id of frames.ids()) {
      const channel = this.#channels.withId(id);
      if (channel === undefined) continue;
      for (const group of channel.groups) {
        if (group.touchedBy === number) continue;
        group.touchedBy = number;
        groups.push(group);
      }
    }
    return groups;
  }
}
