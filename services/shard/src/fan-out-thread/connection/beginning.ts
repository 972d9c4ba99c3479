// The position that says where critical messages begin. It goes behind every `gap` with `reset`: without it, a client
// that moves to another shard before its next position would be sent the same messages again. And it answers every
// subscription: without it, a client that comes back before its next position would miss messages of the new channels.
import type { PositionMessage } from '@weir/protocol';
import { encodePosition } from '@weir/protocol';

/** No stream has this epoch: the position does not speak of the state, which begins with snapshots. */
export const NO_EPOCH = '-';

/**
 * `hashes`: of the channels that it speaks for, as positions carry them. `criticalMs`: when the message at `criticalSeq`
 * was stored, if that is known.
 */
export function beginningAt(
  criticalEpoch: string,
  criticalSeq: number,
  hashes: string,
  criticalMs?: number,
): PositionMessage {
  const critical = { criticalEpoch, criticalSeq, criticalMs };
  const at = { stateEpoch: NO_EPOCH, stateSeq: 0, stateMs: 0, ...critical, channels: [hashes] };
  return { type: 'position', pos: encodePosition(at) };
}
