// The channels that connections of this thread are subscribed to: their numbers, their groups, and in which forms their
// frames are wanted. A number is never used for another channel, so that no message under way can be misread.
import { channelHash } from '@weir/protocol';
import type { FormName } from '../../port/frames-table.ts';
import type { Group } from './group.ts';

export interface Channel {
  readonly id: number;
  readonly name: string;
  /** As positions carry it. */
  readonly hash: string;
  readonly groups: Set<Group>;
  /** Groups by form. */
  readonly of: Record<FormName, number>;
  /** Number of the period for which the channel has been wanted in each form. No two periods share a number. */
  readonly stint: Record<FormName, number>;
}

export interface Want {
  readonly id: number;
  readonly channel: string;
  readonly plain: boolean;
  readonly compressed: boolean;
}

export class Channels {
  readonly #want: (want: Want) => void;
  readonly #byName = new Map<string, Channel>();
  readonly #byId = new Map<number, Channel>();
  #lastId = 0;
  #lastStint = 0;

  /** Calls `want` when the first subscriber of a form comes, and when the last one has gone. */
  constructor(want: (want: Want) => void) {
    this.#want = want;
  }

  /** The channel with this number, if it has a subscriber. */
  withId(id: number): Channel | undefined {
    return this.#byId.get(id);
  }

  /** The channel with this name. A channel without subscribers is made. */
  named(name: string): Channel {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const channel: Channel = {
      id: ++this.#lastId,
      name,
      hash: channelHash(name),
      groups: new Set(),
      of: { plain: 0, compressed: 0 },
      stint: { plain: 0, compressed: 0 },
    };
    this.#byName.set(name, channel);
    this.#byId.set(channel.id, channel);
    return channel;
  }

  /** A group has its first member. */
  join(group: Group): void {
    for (const channel of group.channels) {
      channel.groups.add(group);
      if (++channel.of[group.form] > 1) continue;
      channel.stint[group.form] = ++this.#lastStint;
      this.#tell(channel);
    }
  }

  /** A group has lost its last member. */
  leave(group: Group): void {
    for (const channel of group.channels) {
      channel.groups.delete(group);
      if (--channel.of[group.form] > 0) continue;
      if (channel.groups.size === 0) {
        this.#byName.delete(channel.name);
        this.#byId.delete(channel.id);
      }
      this.#tell(channel);
    }
  }

  #tell({ id, name, of }: Channel): void {
    this.#want({ id, channel: name, plain: of.plain > 0, compressed: of.compressed > 0 });
  }
}
