// Compares a lane that keeps the newest message of each subject with its stream, message by message, when their numbers
// leave a doubt. A purge or an expiry removes messages without a notice: the audit publishes a deletion for each key that
// the lane holds and the stream has lost. A NATS server that crashes can bring back a value whose deletion was removed
// since: the audit deletes such a key again. It does the same where the newest message of a key is one that no shard can
// broadcast and no shard is left that knows the value before it: clients of such shards still show that value. A deletion
// has a place in the stream, so that every shard, and every client that comes back, learns it in order.
import { Numbers } from '../lanes/numbers.ts';
import type { StreamAccess } from './stream-access.ts';
import type { Held } from './stream-reader.ts';

/** A value or a deletion whose message the stream no longer has. */
interface Missing {
  readonly subject: string;
  readonly seq: number;
  readonly value: string | undefined;
}

/**
 * The number of keys that were put right, whether another comparison is needed, and where the next one has to continue with
 * the subjects of which the lane has nothing (0: all were judged); or: the stream counts as another one.
 */
export type AuditOutcome =
  | { readonly mended: number; readonly again: boolean; readonly judgedSeq: number }
  | 'another';

export interface AuditOptions {
  readonly access: Pick<StreamAccess, 'scan' | 'put' | 'last'>;
  readonly held: Held;
  /** Reads on up to a place of the stream. */
  readonly readTo: (seq: number) => Promise<void>;
  /** Messages age out: many may be gone without a fault. */
  readonly agesOut: boolean;
  /** Deletions up to here may be gone; a shard that starts without them knows that. */
  readonly deletionFloor: () => number;
  /**
   * Junk that was stored before this time of the server is deleted. Until then a shard that has the last valid value of the
   * key puts that back.
   */
  readonly junkBeforeMs: number;
  /** Whether valid messages of its key may have come before the junk at this place that this shard has not read. */
  readonly mayHaveMissed: (seq: number) => boolean;
  /** Subjects of which the lane has nothing were judged up to here by the comparison before. */
  readonly judgedSeq: number;
}

/** With more lost keys than this, a new epoch costs less than their deletions. So many unknown ones are judged at a time. */
const MAX_MENDED = 10_000;
/** If more than this share of the keys is missing, and more than a few, the stream has lost its content. */
const MUCH = 0.1;
const FEW = 100;
const IN_FLIGHT = 32;
/** Entries that are compared in one turn of the event loop. */
const IN_ONE_TURN = 5_000;

export async function audit(options: AuditOptions, upToSeq: number): Promise<AuditOutcome> {
  const { access, held, readTo, agesOut, deletionFloor, judgedSeq } = options;
  const there = new Numbers();
  const unknown: Pick<Missing, 'subject' | 'seq'>[] = [];
  let areAllUnknown = true;
  await access.scan((scanned) => {
    const { seq, subject } = scanned;
    there.push(seq);
    if (seq > upToSeq || seq <= judgedSeq || held.hasValue(subject) || scanned.size() === 0) return;
    if (unknown.length < MAX_MENDED) unknown.push({ subject, seq });
    else areAllUnknown = false;
  });
  // A message that was replaced while the stream was read is not missing: the lane holds the new one.
  await readTo(there.last);
  const { missing, all } = await compare(held, { there, upToSeq, deletionFloor: deletionFloor() });
  const isMuch = !agesOut && missing.length > FEW && missing.length > MUCH * all;
  if (isMuch || missing.length > MAX_MENDED) return 'another';
  const gone = await each(missing, (one) => mend(one, options));
  if (gone === 'another') return gone;
  // Values that had no room in the lane cannot be told from values that came back.
  if (!held.isWhole()) return { ...gone, judgedSeq: 0 };
  const back = await each(unknown, (one) => deleteAgain(one, options));
  if (back === 'another') return back;
  return {
    mended: gone.mended + back.mended,
    again: gone.again || back.again,
    judgedSeq: areAllUnknown ? 0 : (unknown.at(-1)?.seq ?? 0),
  };
}

/**
 * `overtaken`: a message came in between; it made up for the lost one in the number of messages, behind which another key
 * may be lost. `early`: junk that is too young.
 */
type Outcome = 'mended' | 'unneeded' | 'overtaken' | 'early' | 'another';

/** Runs the repairs, a few at a time. */
async function each<T>(
  all: readonly T[],
  run: (one: T) => Promise<Outcome>,
): Promise<{ readonly mended: number; readonly again: boolean } | 'another'> {
  let mended = 0;
  let again = false;
  for (let i = 0; i < all.length; i += IN_FLIGHT) {
    const outcomes = await Promise.all(all.slice(i, i + IN_FLIGHT).map(run));
    if (outcomes.includes('another')) return 'another';
    mended += outcomes.filter((outcome) => outcome === 'mended').length;
    again ||= outcomes.some((outcome) => outcome === 'overtaken' || outcome === 'early');
  }
  return { mended, again };
}

async function compare(
  held: Held,
  seen: { readonly there: Numbers; readonly upToSeq: number; readonly deletionFloor: number },
): Promise<{ readonly missing: readonly Missing[]; readonly all: number }> {
  const { there, upToSeq, deletionFloor } = seen;
  const missing: Missing[] = [];
  let all = 0;
  let inThisTurn = 0;
  for (const { subject, seq, value } of held.after(0)) {
    if (++inThisTurn >= IN_ONE_TURN) {
      inThisTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    all++;
    if (seq > upToSeq || there.indexOf(seq) >= 0) continue;
    if (value === undefined && seq <= deletionFloor) continue;
    missing.push({ subject, seq, value });
  }
  return { missing, all };
}

/** Deletes a key only if the stream is as it was seen: a message that came in between wins. */
async function mend(
  { subject, seq, value }: Missing,
  { access, held, junkBeforeMs, mayHaveMissed }: AuditOptions,
): Promise<Outcome> {
  const deleted = await access.put(subject, new Uint8Array(), 0);
  if (deleted !== 'overtaken') return deleted === 'kept' ? 'mended' : 'another';
  const last = await access.last(subject);
  if (last === undefined) return 'unneeded';
  if (last.seq < seq) return 'another';
  if (!held.isRejected(last)) return 'overtaken';
  // A shard of other bounds may take what this one cannot.
  if (value === undefined || !held.isJunk(last)) return 'unneeded';
  // Clients keep the last valid value of a key. Shards that start later find it only if the stream has it again. A shard
  // that may have missed a later one leaves it to those that have it. If there are none, no older one takes its place.
  const isOld = mayHaveMissed(last.seq);
  if (isOld && last.timeMs >= junkBeforeMs) return 'early';
  const outcome = await access.put(subject, Buffer.from(isOld ? '' : value, 'latin1'), last.seq);
  return outcome === 'kept' ? 'mended' : 'unneeded';
}

async function deleteAgain(
  { subject, seq }: Pick<Missing, 'subject' | 'seq'>,
  { access, held, junkBeforeMs }: AuditOptions,
): Promise<Outcome> {
  const last = await access.last(subject);
  if (last?.seq !== seq || held.hasValue(subject)) return 'unneeded';
  if (held.isRejected(last)) {
    if (!held.isJunk(last)) return 'unneeded';
    if (last.timeMs >= junkBeforeMs) return 'early';
  }
  const outcome = await access.put(subject, new Uint8Array(), seq);
  if (outcome === 'refused') return 'another';
  return outcome === 'kept' ? 'mended' : 'unneeded';
}
