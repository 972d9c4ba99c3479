// One batch on its way to the connections: which groups it concerns, and how far the writing has got. Members are taken
// from the last to the first, so that a connection that comes or goes meanwhile makes no other be left out or taken twice
// (each knows the last batch that it was given). It writes nothing itself.
import type { Connection } from '../connection/connection.ts';
import type { Batch } from './batch.ts';
import type { Channels } from './channels.ts';
import type { Group } from './group.ts';

export class Round {
  readonly batch: Batch;
  /** What the positions of the connections that have this batch begin with. */
  readonly positionHead: string;
  readonly #channels: Channels;
  #groups: readonly Group[] | undefined;
  #at = 0;
  #group: Group | undefined;
  /** Index of the member that was taken last. */
  #member = 0;

  constructor(batch: Batch, positionHead: string, channels: Channels) {
    this.batch = batch;
    this.positionHead = positionHead;
    this.#channels = channels;
  }

  /** The group that is being written; undefined before the first and after the last. */
  get group(): Group | undefined {
    return this.#group;
  }

  /** The next member of `group` that has not been given the batch; undefined when the group has no more. */
  nextMember(): Connection | undefined {
    if (this.#group === undefined) return undefined;
    const { members } = this.#group;
    // Some may have gone since the last slice.
    for (let i = Math.min(this.#member, members.length) - 1; i >= 0; i--) {
      const connection = members[i];
      if (connection === undefined || !connection.delivery.take(this.batch.number)) continue;
      this.#member = i;
      return connection;
    }
    this.#member = 0;
    return undefined;
  }

  /** Goes on to the next group, and lets go of the bytes of the last one. Returns undefined when the round is over. */
  nextGroup(): Group | undefined {
    this.#group?.release();
    this.#groups ??= this.#touched();
    this.#group = this.#groups[this.#at++];
    this.#member = this.#group?.members.length ?? 0;
    return this.#group;
  }

  /** Found when the writing begins: a connection that comes later gets what is in this batch by other ways. */
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
