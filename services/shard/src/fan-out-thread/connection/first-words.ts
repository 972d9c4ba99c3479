// The first messages to a client: `welcome`, the channels that it is denied, and the critical messages that it has lost.
import type { ControlMessage, Position, Ticket } from '@weir/protocol';
import { channelHash, covers } from '@weir/protocol';
import type { ChannelStart } from '../../port/messages.ts';
import { beginningAt } from './beginning.ts';

/**
 * The `welcome`, then an `error` for each channel that is denied, then the gaps. A position says where critical messages
 * begin if that is not where the client was: if ids begin anew, and if channels are new to a client that comes back.
 */
export function firstWords(to: {
  readonly session: string;
  readonly pool: string;
  readonly shardId: string;
  readonly tickMs: number;
  readonly beatMs: number;
  readonly criticalLastMax: number;
  /** Time until the user's token expires; undefined if there is none. */
  readonly expiresInMs: number | undefined;
  readonly ticket: Ticket;
  readonly position: Position | undefined;
  readonly starts: readonly ChannelStart[];
  readonly criticalEpoch: string;
}): readonly ControlMessage[] {
  const { session, pool, shardId: shard, tickMs, beatMs, criticalLastMax: lastMax } = to;
  const { expiresInMs, ticket, position, starts, criticalEpoch } = to;
  const { channels, denied } = ticket;
  const resumed =
    position !== undefined && starts.every(({ snapshot, gap }) => !snapshot && gap === undefined);
  const begins = starts.some(
    ({ channel, gap }) => gap?.reset || (position !== undefined && !covers(position, channel)),
  );
  return [
    {
      type: 'welcome',
      ...{ session, pool, shard, tickMs, beatMs, lastMax },
      ...(expiresInMs === undefined ? {} : { expiresInMs }),
      ...{ channels, resumed },
    },
    ...denied.map((channel): ControlMessage => ({ type: 'error', code: 'CHANNEL_FORBIDDEN', channel })),
    ...starts.flatMap(({ channel, gap }): readonly ControlMessage[] => {
      if (gap === undefined) return [];
      const announced = { type: 'gap', channel, lane: 'critical', after: gap.after } as const;
      return [gap.reset ? { ...announced, reset: true } : announced];
    }),
    ...(begins ? [beginning(starts, criticalEpoch)] : []),
  ];
}

function beginning(starts: readonly ChannelStart[], epoch: string): ControlMessage {
  const seq = Math.min(...starts.map(({ criticalSeq }) => criticalSeq));
  return beginningAt(epoch, seq, starts.map(({ channel }) => channelHash(channel)).join(''));
}
