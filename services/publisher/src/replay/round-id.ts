// The ids of a recording that is played repeatedly. Pure.
import { createHash } from 'node:crypto';

/** Maximum length of a message's id. */
const maxChars = 128;

/**
 * A message's id in a round, counted from 1. The first round keeps the ids of the recording, which makes a failed
 * replay repeatable. Each further round has ids of its own, because NATS would not store the same ids again within two
 * minutes. `run` tells this replay from others of the same recording.
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
