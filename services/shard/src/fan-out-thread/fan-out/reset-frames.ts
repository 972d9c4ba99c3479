import { controlText, encodePosition, utf8Frame } from '@weir/protocol';
import { NO_EPOCH } from '../connection/first-words.ts';

/** Where critical messages begin anew: after `sinceSeq` of `epoch`. */
export interface CriticalReset {
  readonly epoch: string;
  readonly afterSeq: number;
  readonly sinceSeq: number;
}

/**
 * Says of channels that their critical messages begin anew: ids up to `afterSeq` count no more. The position behind it
 * says where: a client that goes elsewhere before it gets another one would otherwise be sent the same messages again.
 */
export function resetFrames(
  { names, hashes }: { readonly names: readonly string[]; readonly hashes: string },
  { epoch, afterSeq, sinceSeq }: CriticalReset,
): Buffer {
  const gaps = names.map((channel) =>
    utf8Frame(controlText({ type: 'gap', channel, lane: 'critical', after: afterSeq, reset: true })),
  );
  const at = { stateEpoch: NO_EPOCH, stateSeq: 0, criticalEpoch: epoch, criticalSeq: sinceSeq, channels: [] };
  return Buffer.concat([
    ...gaps,
    utf8Frame(controlText({ type: 'position', pos: `${encodePosition(at)}${hashes}` })),
  ]);
}
