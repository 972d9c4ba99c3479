// The ids of a recording that is played again and again. Pure.
import { createHash } from 'node:crypto';

/** The longest id that a message may have. */
const maxChars = 128;

/**
 * A message's id in a round, counted from 1. The first round keeps the ids of the recording, so that a replay that
 * failed can be done again; each further round has ids of its own, since NATS would store none of it again within
 * two minutes. `run` tells this replay from others of the same recording.
 */
export function idInRound(
  id: string,
  { round, run }: { readonly round: number; readonly run: string },
): string {
  if (round === 1) return id;
  const suffix = `.${run}.${round}`;
  if (id.length + suffix.length <= maxChars) return id + suffix;
  return createHash('sha256').update(id).digest('hex') + suffix;
}
