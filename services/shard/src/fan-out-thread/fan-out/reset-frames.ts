import { controlText, utf8Frame } from '@weir/protocol';
import { beginningAt } from '../connection/beginning.ts';

/** Where critical messages begin anew: after `sinceSeq` of `epoch`. */
export interface CriticalReset {
  readonly epoch: string;
  readonly afterSeq: number;
  readonly sinceSeq: number;
}

/** Tells clients that the critical messages of these channels begin anew: ids up to `afterSeq` are void. */
export function resetFrames(
  { names, hashes }: { readonly names: readonly string[]; readonly hashes: string },
  { epoch, afterSeq, sinceSeq }: CriticalReset,
): Buffer {
  const gaps = names.map(
    (channel) => ({ type: 'gap', channel, lane: 'critical', after: afterSeq, reset: true }) as const,
  );
  const messages = [...gaps, beginningAt(epoch, sinceSeq, hashes)];
  return Buffer.concat(messages.map((message) => utf8Frame(controlText(message))));
}
