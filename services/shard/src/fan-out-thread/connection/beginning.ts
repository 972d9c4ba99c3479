// The position that says where critical messages begin anew. It goes behind every `gap` with `reset`. Without it, a client
// that moves to another shard before its next position would be sent the same messages again.
import type { ControlMessage } from '@weir/protocol';
import { encodePosition } from '@weir/protocol';

/** No stream has this epoch: the position does not speak of the state, which begins with snapshots. */
export const NO_EPOCH = '-';

/** `hashes`: of the channels that it speaks for, as positions carry them. */
export function beginningAt(criticalEpoch: string, criticalSeq: number, hashes: string): ControlMessage {
  const at = { stateEpoch: NO_EPOCH, stateSeq: 0, criticalEpoch, criticalSeq, channels: [hashes] };
  return { type: 'position', pos: encodePosition(at) };
}
