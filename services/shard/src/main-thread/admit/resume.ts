// Where a connection begins on each channel, from the position that the client brought. Pure.
import type { Position } from '@weir/protocol';
import { covers } from '@weir/protocol';
import type { ChannelStart } from '../../port/messages.ts';
import { isLaterEpoch } from '../intake/epoch.ts';

/** What the shard has of the lanes. */
export interface LaneHeads {
  readonly stateEpoch: string;
  readonly stateSeq: number;
  readonly criticalEpoch: string;
  readonly criticalSeq: number;
  /** A position below this needs a snapshot of the channel: a deletion may be forgotten. */
  stateFloor(channel: string): number;
  /** The newest critical message of the channel that is out of the window; 0 where none is. */
  criticalLostSeq(channel: string): number;
  /** Whether the state message that was stored then is the one that the stream has, or had, at that place. */
  stateHolds(seq: number, storedMs: number): boolean;
  /** Whether the channel's critical messages up to there are others than those that were stored until then. */
  criticalReplaced(channel: string, seq: number, storedMs: number): boolean;
  /** Where a client goes on that has had all of another epoch that was stored until then. */
  criticalSeqAt(channel: string, storedMs: number): number;
  /** NATS is away: a position further than the heads may well be true. */
  readonly stale: boolean;
}

/** Whether this shard has not yet read as far as the position claims; it may merely be a moment behind. */
export function isAhead(position: Position, heads: LaneHeads): boolean {
  const { stateEpoch, stateSeq, criticalEpoch, criticalSeq } = position;
  if (isLaterEpoch(stateEpoch, heads.stateEpoch) || isLaterEpoch(criticalEpoch, heads.criticalEpoch))
    return true;
  const state = stateEpoch === heads.stateEpoch && stateSeq > heads.stateSeq;
  const critical = criticalEpoch === heads.criticalEpoch && criticalSeq > heads.criticalSeq;
  return state || critical;
}

/** Where a channel begins: at the position where it still holds, else with a snapshot and a gap. */
export function startOf(
  channel: string,
  { position, last }: { readonly position: Position | undefined; readonly last?: number | undefined },
  heads: LaneHeads,
): ChannelStart {
  const fresh = { channel, stateSeq: 0, snapshot: true, criticalSeq: heads.criticalSeq, gap: undefined };
  if (position === undefined || !covers(position, channel))
    return last === undefined ? fresh : { ...fresh, last };
  return { ...fresh, ...stateStart(channel, position, heads), ...criticalStart(channel, position, heads) };
}

function stateStart(
  channel: string,
  position: Position,
  heads: LaneHeads,
): Pick<ChannelStart, 'stateSeq' | 'snapshot'> {
  const holds =
    position.stateEpoch === heads.stateEpoch &&
    (position.stateSeq <= heads.stateSeq || heads.stale) &&
    position.stateSeq >= heads.stateFloor(channel) &&
    (position.stateMs === undefined || heads.stateHolds(position.stateSeq, position.stateMs));
  return holds ? { stateSeq: position.stateSeq, snapshot: false } : { stateSeq: 0, snapshot: true };
}

function criticalStart(
  channel: string,
  position: Position,
  heads: LaneHeads,
): Pick<ChannelStart, 'criticalSeq' | 'toldSeq' | 'gap'> {
  const after = position.criticalSeq;
  const ahead = after > heads.criticalSeq && !heads.stale;
  const { criticalEpoch, criticalMs } = position;
  const replaced = criticalMs !== undefined && heads.criticalReplaced(channel, after, criticalMs);
  if (criticalEpoch !== heads.criticalEpoch || ahead || replaced) {
    const newSeq = criticalMs === undefined ? undefined : heads.criticalSeqAt(channel, criticalMs);
    // What has not been handed over yet comes to everybody.
    const criticalSeq = Math.min(newSeq ?? heads.criticalSeq, heads.criticalSeq);
    return { criticalSeq, gap: { after, reset: true } };
  }
  const lostSeq = heads.criticalLostSeq(channel);
  // The lane may have messages from before the last one that it lost: the client gets them, too.
  if (after < lostSeq) return { criticalSeq: after, toldSeq: lostSeq, gap: { after, reset: false } };
  return { criticalSeq: after, gap: undefined };
}
